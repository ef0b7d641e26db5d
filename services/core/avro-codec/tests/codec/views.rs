//! A fill that is viewed where it lies is the fill that decoding gives, or is left to decoding.

use crate::generator::{Chance, names_of, value};
use crate::oracle::framed;
use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{SchemaStore, decode, schema_text, view_fill};
use domain::fill::Fill;
use domain::{Input, Topic};
use proptest::prelude::*;

fn written(value: Value, schema: &Schema) -> Vec<u8> {
    framed(Topic::Fills, &GenericDatumWriter::builder(schema).build().unwrap().write_value_to_vec(value).unwrap())
}

fn made(seed: u64) -> Vec<u8> {
    let schema = Schema::parse_str(schema_text(Topic::Fills)).unwrap();
    written(value(&schema, &names_of(&schema), "", &mut Chance(seed)), &schema)
}

fn decoded(bytes: &[u8]) -> Option<Box<Fill>> {
    match decode(&SchemaStore::compiled(), Topic::Fills, None, Some(bytes)) {
        Ok(Input::Fill(fill)) => Some(fill),
        Ok(other) => panic!("{other:?} is no fill"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_viewed_is_what_is_decoded(seed: u64, at in any::<prop::sample::Index>(), bent: u8) {
        let mut bytes = made(seed);
        let fill = decoded(&bytes).unwrap();
        prop_assert_eq!(view_fill(&bytes), Some(fill.view()), "every fill of few fees is viewed");
        let cut = at.index(bytes.len());
        prop_assert_eq!(view_fill(&bytes[..cut]), None);
        // Whatever else stands there: what is viewed can be decoded, and is the same.
        bytes[cut] = bent;
        let fill = decoded(&bytes);
        if let Some(viewed) = view_fill(&bytes) {
            prop_assert_eq!(Some(viewed), fill.as_deref().map(Fill::view));
        }
    }
}

#[test]
fn a_fill_of_many_fees_or_in_blocks_with_sizes_is_left_to_decoding() {
    let schema = Schema::parse_str(schema_text(Topic::Fills)).unwrap();
    let names = names_of(&schema);
    let of = |count: usize| {
        let Value::Record(mut fields) = value(&schema, &names, "", &mut Chance(7)) else { panic!("a fill is a record") };
        let fee = Value::Record(vec![
            ("type".into(), Value::String("commission".into())),
            ("amount".into(), Value::Decimal(apache_avro::Decimal::from(&[0_u8; 12]))),
            ("currency".into(), Value::String("USD".into())),
        ]);
        for (name, field) in &mut fields {
            if name == "fees" {
                *field = Value::Array(vec![fee.clone(); count]);
            }
        }
        written(Value::Record(fields), &schema)
    };
    for (count, is_viewed) in [(0, true), (1, true), (15, true), (16, false)] {
        let bytes = of(count);
        assert_eq!((view_fill(&bytes).is_some(), decoded(&bytes).is_some()), (is_viewed, true), "{count}");
    }
}
