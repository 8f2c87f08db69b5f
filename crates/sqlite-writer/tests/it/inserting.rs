use migration_engine::Changed;
use sqlite_writer::Value;
use testkit::ao_database;

use crate::support::{Home, project_with};

#[test]
fn rows_arrive_each_with_its_one_event_and_go_again_without_a_trace() {
    let home = Home::new();
    ao_database::add_user_rows(&home.database());
    let before = home.dump();
    let run = home.run(project_with("ledger", 3));

    assert_eq!(home.apply(&run).unwrap().summary().migrated, 4);
    let events =
        "SELECT session_id FROM change_log WHERE project_id = 'ledger' AND event_type = 'session_created'";
    assert_eq!(home.query(events), ["ledger-1", "ledger-2", "ledger-3"].map(|id| vec![Value::from(id)]));
    assert_eq!(home.names(), ["ao.db"]);
    assert!(home.verify(&run).findings.is_empty());

    assert_eq!(home.undo(&run, Changed::Refuse).unwrap(), []);
    assert_eq!(home.dump(), before);
    assert_eq!(home.names(), ["ao.db"]);
}
