//! The parsing canonical form of a schema and its CRC-64-AVRO fingerprint, as the Avro specification
//! has them. Computed here because the Avro library keeps logical types' precision and scale in its
//! form, so that its fingerprints differ from those of every other language.

use crate::schemas::Fingerprint;
use serde_json::Value as Json;

const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
const TABLE: [u64; 256] = table();

/// The fingerprint of a schema given as JSON; `None` where that is no schema.
pub(crate) fn fingerprint(schema: &Json) -> Option<Fingerprint> {
    let mut form = String::new();
    append(schema, "", &mut form)?;
    Some(Fingerprint(crc(form.as_bytes())))
}

/// CRC-64-AVRO.
pub(crate) fn crc(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, byte| (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (EMPTY & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// Appends the canonical form of a schema that stands inside `namespace`.
fn append(schema: &Json, namespace: &str, form: &mut String) -> Option<()> {
    match schema {
        Json::String(name) if PRIMITIVES.contains(&name.as_str()) => quote(name, form),
        Json::String(name) => quote(&full_name(name, namespace), form),
        Json::Array(branches) => list(branches, form, |branch, form| append(branch, namespace, form))?,
        Json::Object(_) => complex(schema, namespace, form)?,
        _ => return None,
    }
    Some(())
}

fn complex(schema: &Json, namespace: &str, form: &mut String) -> Option<()> {
    let Json::String(kind) = &schema["type"] else {
        return append(&schema["type"], namespace, form);
    };
    match kind.as_str() {
        "array" => inside("array", "items", schema, namespace, form),
        "map" => inside("map", "values", schema, namespace, form),
        "record" | "error" | "enum" | "fixed" => named(kind, schema, namespace, form),
        _ => append(&schema["type"], namespace, form),
    }
}

fn inside(kind: &str, attribute: &str, schema: &Json, namespace: &str, form: &mut String) -> Option<()> {
    form.push_str(&format!(r#"{{"type":"{kind}","{attribute}":"#));
    append(&schema[attribute], namespace, form)?;
    form.push('}');
    Some(())
}

fn named(kind: &str, schema: &Json, namespace: &str, form: &mut String) -> Option<()> {
    let name = full_name(schema["name"].as_str()?, schema["namespace"].as_str().unwrap_or(namespace));
    let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
    form.push_str(&format!(r#"{{"name":"{name}","type":"{kind}","#));
    match kind {
        "enum" => {
            form.push_str(r#""symbols":"#);
            list(schema["symbols"].as_array()?, form, |symbol, form| {
                quote(symbol.as_str()?, form);
                Some(())
            })?;
        }
        "fixed" => form.push_str(&format!(r#""size":{}"#, size(&schema["size"])?)),
        _ => {
            form.push_str(r#""fields":"#);
            list(schema["fields"].as_array()?, form, |field, form| {
                form.push_str(&format!(r#"{{"name":"{}","type":"#, field["name"].as_str()?));
                append(&field["type"], namespace, form)?;
                form.push('}');
                Some(())
            })?;
        }
    }
    form.push('}');
    Some(())
}

fn size(size: &Json) -> Option<u64> {
    size.as_u64().or_else(|| size.as_str()?.parse().ok())
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn quote(name: &str, form: &mut String) {
    form.push('"');
    form.push_str(name);
    form.push('"');
}

fn list(items: &[Json], form: &mut String, mut one: impl FnMut(&Json, &mut String) -> Option<()>) -> Option<()> {
    form.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            form.push(',');
        }
        one(item, form)?;
    }
    form.push(']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> String {
        let mut form = String::new();
        append(&serde_json::from_str(text).unwrap(), "", &mut form).unwrap();
        form
    }

    /// Forms and fingerprints of the specification's own list of cases.
    #[test]
    fn forms_and_fingerprints_are_those_of_the_specification() {
        for (schema, canonical, fingerprint) in [
            (r#""null""#, r#""null""#, 7_195_948_357_588_979_594_i64),
            (r#"{"type":"boolean"}"#, r#""boolean""#, -6_970_731_678_124_411_036),
            (r#""int""#, r#""int""#, 8_247_732_601_305_521_295),
            (r#""long""#, r#""long""#, -3_434_872_931_120_570_953),
            (r#""string""#, r#""string""#, -8_142_146_995_180_207_161),
            (r#"[ "int"  ]"#, r#"["int"]"#, -5_232_228_896_498_058_493),
            (
                r#"{"fields":[], "type":"record", "name":"foo"}"#,
                r#"{"name":"foo","type":"record","fields":[]}"#,
                -4_824_392_279_771_201_922,
            ),
        ] {
            assert_eq!(form(schema), canonical);
            assert_eq!(crc(canonical.as_bytes()).cast_signed(), fingerprint, "{schema}");
        }
    }

    #[test]
    fn names_are_full_and_everything_else_is_stripped() {
        let text = r#"{"type": "record", "name": "Fill", "namespace": "ballast", "doc": "…", "fields": [
            {"name": "price", "doc": "…", "default": null, "type":
                ["null", {"type": "fixed", "name": "p_10", "size": "12", "logicalType": "decimal", "precision": 28, "scale": 10}]},
            {"name": "again", "type": {"type": "array", "items": "p_10"}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "side", "type": {"type": "enum", "name": "other.Side", "symbols": ["A", "B"], "default": "A"}}]}"#;
        let canonical = concat!(
            r#"{"name":"ballast.Fill","type":"record","fields":[{"name":"price","type":["null",{"name":"ballast.p_10","type":"fixed","size":12}]},"#,
            r#"{"name":"again","type":{"type":"array","items":"ballast.p_10"}},{"name":"at","type":"long"},"#,
            r#"{"name":"side","type":{"name":"other.Side","type":"enum","symbols":["A","B"]}}]}"#
        );
        assert_eq!(form(text), canonical);
    }
}
