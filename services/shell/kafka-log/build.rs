//! Links this room's tests without librdkafka's leader hints: see `src/leader_hints.rs`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg=-Wl,--wrap=rd_kafka_metadata_update_op");
    }
}
