//! An act and its row in the trail are one commit, whatever fails.

use nichoir_store::{Actor, Error, NewAccount, Role, Space};

use crate::support::on_every_engine;

async fn rows(space: &Space, kind: &str) -> Vec<String> {
    let traces = space.audit(10_000).await.unwrap();
    traces.into_iter().filter(|trace| trace.kind == kind).map(|trace| trace.subject).collect()
}

fn account(login: String) -> NewAccount {
    NewAccount { login, display_name: String::new(), email: None, role: Role::Member, password_hash: None }
}

#[tokio::test]
async fn whatever_statement_fails_the_act_and_its_row_are_there_or_neither() {
    on_every_engine(async |world| {
        let space = world.space.by(Actor::command_line("root"));
        let mut has_failed = 0;
        for number in 1..40 {
            let login = format!("nina{number}");
            world.faults.arm(number);
            let made = space.create_account(account(login.clone())).await;
            world.faults.arm(0);
            let is_there = space.account_by_login(&login).await.is_ok();
            assert_eq!(rows(&space, "made an account").await.contains(&login), is_there, "{number}: {made:?}");
            assert!(made.is_err() || is_there);
            has_failed += usize::from(made.is_err());
            if is_there {
                let id = space.account_by_login(&login).await.unwrap().id;
                world.faults.arm(number);
                let ended = space.delete_account(id).await;
                world.faults.arm(0);
                let is_gone = matches!(space.account(id).await, Err(Error::NotFound));
                assert_eq!(rows(&space, "deleted an account").await.contains(&login), is_gone, "{number}: {ended:?}");
                if !is_gone {
                    space.delete_account(id).await.unwrap();
                }
            }
        }
        assert!(has_failed > 5, "{has_failed}");
        assert!(space.audit(1).await.unwrap()[0].actor == "(command line)");
        world.finish().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_leaves_no_row() {
    on_every_engine(async |world| {
        let before = world.space.audit(1_000).await.unwrap();
        assert!(world.space.create_account(account("alice".to_owned())).await.is_err());
        let nobody = nichoir_store::AccountId(4_711);
        assert!(world.space.create_device(nobody, "phone", [1; 32]).await.is_err());
        assert!(world.space.delete_account(nobody).await.is_err());
        assert_eq!(world.space.audit(1_000).await.unwrap(), before);
        world.finish().await;
    })
    .await;
}
