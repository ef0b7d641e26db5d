//! Every record of the topics, field by field in the order of its schema, each written down once.
//! The compiler refuses a field that is missing here; the tests compare the order with `schemas/`.

mod inputs;
mod internal;
mod outputs;
mod symbols;

/// Declares how records stand on the wire: their fields one after the other.
macro_rules! records {
    (domain::$module:ident::{ $($name:ident { $($field:ident),+ $(,)? })+ }) => { $(
        impl Wire for domain::$module::$name {
            #[inline]
            fn write(&self, writer: &mut Writer<'_>) {
                $(
                    writer.field(&stringify!($field));
                    self.$field.write(writer);
                )+
            }
            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                Ok(Self { $($field: Wire::read(reader).map_err(|fault: Fault| fault.in_field(stringify!($field)))?),+ })
            }
        }
        impl Item for domain::$module::$name {}
    )+ };
}
use records;
