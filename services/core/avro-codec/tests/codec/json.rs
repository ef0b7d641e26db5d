//! A value of the Avro library as the JSON that the contract promises, computed without our types:
//! decimals in plain digits, times in RFC 3339, bytes in hexadecimal.

use crate::generator::{Names, follow};
use apache_avro::schema::{DecimalSchema, Schema};
use apache_avro::types::Value;
use serde_json::{Value as Json, json};

pub fn json(value: &Value, schema: &Schema, names: &Names) -> Json {
    match (value, follow(schema, names)) {
        (Value::Record(fields), Schema::Record(record)) => {
            let one = |((name, value), field): (&(String, Value), &apache_avro::schema::RecordField)| {
                assert_eq!(*name, field.name);
                (name.clone(), json(value, &field.schema, names))
            };
            Json::Object(fields.iter().zip(&record.fields).map(one).collect())
        }
        (Value::Union(branch, value), Schema::Union(union)) => json(value, &union.variants()[*branch as usize], names),
        (Value::Array(items), Schema::Array(array)) => items.iter().map(|item| json(item, &array.items, names)).collect(),
        (Value::Decimal(decimal), Schema::Decimal(schema)) => json!(digits(decimal, schema)),
        (Value::Enum(_, symbol), _) => json!(symbol),
        (Value::String(text), _) => json!(text),
        (Value::Uuid(id), _) => json!(id.hyphenated().to_string()),
        (Value::Boolean(flag), _) => json!(flag),
        (Value::Int(number), _) => json!(number),
        (Value::Long(number), _) => json!(number),
        (Value::Null, _) => Json::Null,
        (Value::TimestampMicros(micros), _) => json!(jiff::Timestamp::from_microsecond(*micros).unwrap().to_string()),
        (Value::Date(days), _) => {
            let day = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(*days);
            json!(day.to_string())
        }
        (Value::Bytes(bytes), _) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        (value, schema) => panic!("{value:?} stands where {schema:?} should"),
    }
}

fn digits(decimal: &apache_avro::Decimal, schema: &DecimalSchema) -> String {
    let bytes = <Vec<u8>>::try_from(decimal).unwrap();
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let units = bytes.iter().fold(if negative { -1_i128 } else { 0 }, |units, byte| (units << 8) | i128::from(*byte));
    rust_decimal::Decimal::from_i128_with_scale(units, schema.scale as u32).normalize().to_string()
}
