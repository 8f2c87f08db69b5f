//! What a user would see: a sample home, moved and taken back, in a folder that nobody will miss.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::tree::Tree;
use testkit::{ao_database, fixture};

use crate::shell::{self, Outcome};

/// Tells the whole story of one migration, and checks what it says.
pub(crate) fn run() -> Outcome {
    let tool = shell::built("ao-migrate", &[])?;
    let folder = tempfile::Builder::new().prefix("rehome-demo-").tempdir()?;
    let demo = Demo::lay_out(tool, folder.path())?;
    let before = demo.world();

    demo.act("What would happen? Look first: a dry run changes nothing.", &["--dry-run"], PARTIAL)?;
    expect(before == demo.world(), "a dry run changed something")?;

    demo.act("Do it. What is damaged is named and counted, and the rest moves.", &[], PARTIAL)?;
    demo.show_what_arrived();
    let after = demo.world();

    demo.act(
        "Is it all there? Every byte is compared again, and every row read as the daemon reads it.",
        &["verify"],
        DONE,
    )?;
    demo.act("Once more: nothing is left to do, and nothing is written.", &[], PARTIAL)?;
    expect(after == demo.world(), "the second run changed something")?;

    demo.act("And back.", &["undo"], DONE)?;
    expect(before == demo.world(), "undo did not restore the home")?;
    println!("\nThe home and the content of its database are as they were: names, bytes, modes and times.");
    Ok(())
}

const DONE: i32 = 0;
const PARTIAL: i32 = 3;

struct Demo {
    tool: PathBuf,
    home: PathBuf,
}

/// All that a migration may change: the home but for our own journal, and the database by its content.
#[derive(PartialEq)]
struct World {
    files: Tree,
    database: String,
}

impl Demo {
    fn lay_out(tool: PathBuf, folder: &Path) -> Outcome<Self> {
        let home = fixture::lay_out("ao-migrate/everything", folder);
        fs::create_dir_all(home.join(".ao/data"))?;
        let demo = Self { tool, home };
        ao_database::create(&demo.database(), ao_database::Version(12));
        println!(
            "A home of the old agent-orchestrator, and a database of the rewrite, in {}",
            demo.home.display()
        );
        println!("(all of it made up, and removed at the end)");
        Ok(demo)
    }

    fn database(&self) -> PathBuf {
        self.home.join(".ao/data/ao.db")
    }

    fn world(&self) -> World {
        let files = Tree::of(&self.home).without(&[".local", ".ao/data/ao.db"]);
        World { files, database: ao_database::dump(&self.database()) }
    }

    /// Types a command, as a user would in this home, and shows what it says.
    fn act(&self, why: &str, arguments: &[&str], exit: i32) -> Outcome {
        println!("\n━━━ {why}\n\n$ ao-migrate {}\n", arguments.join(" "));
        let mut command = Command::new(&self.tool);
        command.args(arguments).current_dir(&self.home).env_clear();
        command.env("HOME", &self.home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let code = command.status()?.code();
        println!("\n(exit code {})", code.map_or("none".to_owned(), |code| code.to_string()));
        expect(code == Some(exit), &format!("exit code {exit} was expected"))
    }

    fn show_what_arrived(&self) {
        println!("\n━━━ What the new daemon finds in its database:\n");
        let rows = ao_database::dump(&self.database());
        for row in rows.lines().filter(|row| row.starts_with("projects: ") || row.starts_with("sessions: ")) {
            println!("{}", row.chars().take(118).collect::<String>());
        }
        println!("\n━━━ And what Claude Code finds in the new worktrees:\n");
        let names = Tree::of(&self.home.join(".claude/projects")).names();
        for name in
            names.iter().filter(|name| name.contains("-ao-data-worktrees-") && name.contains(".jsonl"))
        {
            println!("~/.claude/projects/{name}");
        }
    }
}

fn expect(holds: bool, otherwise: &str) -> Outcome {
    if holds { Ok(()) } else { Err(format!("the demo does not hold: {otherwise}").into()) }
}
