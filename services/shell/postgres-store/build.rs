//! Builds again when a migration is added: the compiler does not watch the folder by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
