//! A file system of its own for the data of a server, which a test can fill to the last byte: an image in a file, mounted.
//! It is for accounts that may mount; the others are told that there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How much the largest run may write. The image takes only what is written.
const SIZE: &str = "32G";

/// A mounted file system; unmounted when dropped.
pub struct Volume {
    place: PathBuf,
}

impl Volume {
    /// Mounts an empty file system at a folder that is made for it, its image in a file; or says why it cannot be.
    ///
    /// # Errors
    /// What the command said that failed.
    pub fn mounted(image: &Path, place: &Path) -> Result<Self, String> {
        for folder in [place, image.parent().unwrap_or(place)] {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        run(Command::new("truncate").args(["--size", SIZE]).arg(image))?;
        // Nothing is kept back for root, who runs one of the servers.
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1"]).arg(image))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(place))?;
        Ok(Self { place: place.to_owned() })
    }

    /// Takes all the space that is left.
    ///
    /// # Panics
    /// When it cannot be taken.
    pub fn fill(&self) {
        let free = run(Command::new("df").args(["--output=avail", "-B1"]).arg(&self.place)).expect("the volume is there");
        let free = free.lines().last().unwrap_or_default().trim().to_owned();
        // What the file itself needs, and what was written meanwhile, may not be there: the next pieces are smaller.
        let mut piece: u64 = free.parse().expect("df prints bytes");
        let mut pieces = 0;
        while piece >= 4096 {
            let name = self.filler(pieces);
            match run(Command::new("fallocate").args(["--length", &piece.to_string()]).arg(&name)) {
                Ok(_) => pieces += 1,
                Err(_) => {
                    let _ = std::fs::remove_file(name);
                    piece /= 2;
                }
            }
        }
    }

    /// Gives the space back.
    pub fn free(&self) {
        let fillers = (0..).map(|piece| self.filler(piece));
        fillers.take_while(|filler| filler.exists()).for_each(|filler| std::fs::remove_file(filler).expect("a filler can be removed"));
    }

    fn filler(&self, piece: usize) -> PathBuf {
        self.place.join(format!("filler-{piece}"))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Whoever removes the data of a stack unmounts what holds it.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        if !mounts.lines().any(|line| line.split(' ').nth(1) == self.place.to_str()) {
            return;
        }
        if let Err(error) = run(Command::new("umount").arg(&self.place)) {
            eprintln!("{} stays mounted: {error}", self.place.display());
        }
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let ended = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(format!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&ended.stderr).trim()))
}
