//! Makes a valid record of any schema from a seed. It follows the schema file alone and knows no
//! struct of ours; what a text may hold it takes from the unit at the end of the field's doc.

use apache_avro::schema::{DecimalSchema, Name, Schema};
use apache_avro::types::Value;
use apache_avro::{Decimal, Uuid};
use domain::Topic;
use std::collections::BTreeMap;

/// A stream of numbers that a seed decides (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (i128::from(high) - i128::from(low) + 1) as u128;
        (i128::from(low) + (u128::from(self.next()) % span) as i128) as i64
    }
}

/// The named types of a schema, for references to them.
pub type Names = BTreeMap<String, Schema>;

pub fn names_of(schema: &Schema) -> Names {
    let mut names = Names::new();
    collect(schema, &mut names);
    names
}

fn key(name: &Name) -> String {
    name.name().to_owned()
}

fn collect(schema: &Schema, names: &mut Names) {
    match schema {
        Schema::Record(record) => {
            names.insert(key(&record.name), schema.clone());
            record.fields.iter().for_each(|field| collect(&field.schema, names));
        }
        Schema::Enum(list) => {
            names.insert(key(&list.name), schema.clone());
        }
        Schema::Union(union) => union.variants().iter().for_each(|variant| collect(variant, names)),
        Schema::Array(array) => collect(&array.items, names),
        _ => {}
    }
}

pub fn follow<'a>(schema: &'a Schema, names: &'a Names) -> &'a Schema {
    match schema {
        Schema::Ref { name } => &names[&key(name)],
        _ => schema,
    }
}

/// A value of the schema; `doc` is that of the field which holds it.
pub fn value(schema: &Schema, names: &Names, doc: &str, chance: &mut Chance) -> Value {
    match follow(schema, names) {
        Schema::Boolean => Value::Boolean(chance.below(2) == 1),
        Schema::Int => Value::Int(integer(chance, i64::from(i32::MIN), i64::from(i32::MAX)) as i32),
        Schema::Long => Value::Long(integer(chance, i64::MIN, i64::MAX)),
        Schema::Date => Value::Date(chance.between(-719_162, 2_932_896) as i32),
        Schema::TimestampMicros => Value::TimestampMicros(chance.between(-62_135_596_800_000_000, 253_402_207_200_000_000)),
        Schema::Decimal(DecimalSchema { .. }) => Value::Decimal(Decimal::from(&units(chance).to_be_bytes()[4..])),
        Schema::Uuid(_) => Value::Uuid(Uuid::from_u64_pair(chance.next(), chance.next())),
        Schema::Bytes => {
            let length = chance.below(40);
            Value::Bytes((0..length).map(|_| chance.next() as u8).collect())
        }
        Schema::String => Value::String(text(doc, chance)),
        Schema::Enum(list) => {
            let index = chance.below(list.symbols.len());
            Value::Enum(index as u32, list.symbols[index].clone())
        }
        Schema::Array(array) => {
            let length = [0, 1, 2, 3, 70][chance.below(if doc.is_empty() { 4 } else { 5 })];
            let length = if matches!(follow(&array.items, names), Schema::String) { length } else { length.min(3) };
            Value::Array((0..length).map(|_| value(&array.items, names, "[id]", chance)).collect())
        }
        Schema::Union(union) => {
            let index = chance.below(union.variants().len());
            Value::Union(index as u32, Box::new(value(&union.variants()[index], names, doc, chance)))
        }
        Schema::Record(record) => {
            let field = |field: &apache_avro::schema::RecordField| {
                (field.name.clone(), value(&field.schema, names, field.doc.as_deref().unwrap_or(""), chance))
            };
            Value::Record(record.fields.iter().map(field).collect())
        }
        Schema::Null => Value::Null,
        other => panic!("no schema of ours has a {other:?}"),
    }
}

fn integer(chance: &mut Chance, low: i64, high: i64) -> i64 {
    match chance.below(6) {
        0 => 0,
        1 => low,
        2 => high,
        3 => chance.between(low, high),
        _ => chance.between(-200, 200),
    }
}

fn units(chance: &mut Chance) -> i128 {
    let limit = 10_i128.pow(28);
    match chance.below(6) {
        0 => 0,
        1 => limit - 1,
        2 => 1 - limit,
        3 => i128::from(chance.next()) * 500_000_000 % limit,
        _ => i128::from(chance.between(-2_000_000_000_000, 2_000_000_000_000)),
    }
}

fn text(doc: &str, chance: &mut Chance) -> String {
    match doc.rsplit_once('[').map_or("", |(_, unit)| unit.trim_end_matches(']')) {
        "id" => format!("{}-{}", ["growth", "é", "ACME.US", "x"][chance.below(4)], "7".repeat(chance.below(30))),
        "currency code" => ["USD", "EUR", "BTC", "USDC", "1000SATS"][chance.below(5)].to_owned(),
        "topic name" => Topic::ALL[chance.below(Topic::ALL.len())].name().to_owned(),
        "text" => ["", "a", "twenty-three characters", "twenty-four characters !", "Zürich ½ \u{1f4b6}\n"][chance.below(5)].to_owned(),
        other => panic!("a text with the unit {other:?}"),
    }
}
