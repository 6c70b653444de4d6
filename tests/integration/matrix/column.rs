//! The columns: who asks, and by which path they reach the thing.

use nichoir_store::{AccountUpdate, GroupId, Permissions};

use super::furnish::{Things, printers};
use super::verdict::Standing;
use crate::support::{Client, Server};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Alice, whose it is, and who manages the space.
    Owner,
    /// Another member, who tries hers by its address.
    Stranger,
    /// The one of her name in another space.
    Namesake,
    /// Somebody without credentials.
    Nobody,
    /// A member whose account was removed; it was shared with them.
    Removed,
    /// A member whose account is disabled; it is shared with them.
    Disabled,
    /// It is shared with them for reading.
    Reader,
    /// It is shared with them for reading and writing, and not for sharing.
    Writer,
    /// It is shared with them with all rights.
    Resharer,
    /// It was shared with them, and is no more.
    Unshared,
    /// It is shared with a group that they were taken out of.
    OutOfGroup,
    /// It is a team folder, and theirs is a group that may read.
    TeamReader,
    /// It is a team folder, and theirs is a group that may write.
    TeamWriter,
    /// It is a team folder, and theirs is no group that may see it.
    TeamOutsider,
    /// It is a team folder, and they were taken out of its group.
    OutOfTeam,
    /// Somebody with a link to read it.
    Guest,
    /// The same by the older address, whose login is the token.
    OldGuest,
    /// Somebody with a link to edit it.
    EditingGuest,
    /// Somebody with a link to hand in, who sees nothing of what is there.
    HandingInGuest,
    /// Somebody with a link, who has not given its password.
    GuestWithoutPassword,
    /// Somebody who has given a wrong one.
    GuestWithWrongPassword,
    /// The same by the older address.
    OldGuestWithWrongPassword,
    /// Somebody who has given the right one.
    GuestWithPassword,
    /// Somebody with a link that was taken back.
    GuestOfEndedLink,
}

use Who::*;

/// Sharees and members of a team, who see the thing.
pub(super) const SEEING: &[Who] = &[Reader, Writer, Resharer, TeamReader, TeamWriter];
/// Those with a link that is open to them.
pub(super) const GUESTS: &[Who] = &[Guest, OldGuest, EditingGuest, GuestWithPassword];
/// Members who see nothing of it.
pub(super) const BLIND: &[Who] = &[Stranger, Namesake, Unshared, OutOfGroup, TeamOutsider, OutOfTeam];

/// Those who see it and may not hand it on.
pub(super) const KEEPING: &[Who] = &[Reader, Writer, TeamReader, TeamWriter];
/// Those who may only read.
pub(super) const READING: &[Who] = &[Reader, TeamReader];
/// Those who ask at an address of their own at which there is no such folder (any more).
pub(super) const HOMELESS: &[Who] = &[Namesake, Unshared, OutOfGroup, TeamOutsider, OutOfTeam];
/// Those whose credentials are none, and no link's that asks for none.
pub(super) const MISTAKEN: &[Who] =
    &[Removed, OldGuest, GuestWithWrongPassword, OldGuestWithWrongPassword, GuestWithPassword];
/// Those with a link whose password they have not shown.
pub(super) const SHUT: &[Who] = &[GuestWithoutPassword, GuestWithWrongPassword, OldGuestWithWrongPassword];

/// Those who were given no address that is still theirs.
pub(super) const UNKNOWN: &[Who] = &[
    Stranger,
    Namesake,
    Nobody,
    Removed,
    Disabled,
    TeamOutsider,
    Guest,
    OldGuest,
    EditingGuest,
    HandingInGuest,
    GuestWithoutPassword,
    GuestWithWrongPassword,
    OldGuestWithWrongPassword,
    GuestWithPassword,
    GuestOfEndedLink,
];

/// The password of links.
const PASSWORD: &str = "Tres-secret-7";

impl Who {
    /// What they are to the thing.
    pub(super) fn standing(self) -> Standing {
        match self {
            Owner => Standing::Owner,
            Stranger => Standing::Trespasser,
            Namesake | Unshared | OutOfGroup | TeamOutsider | OutOfTeam => Standing::Stranger,
            Nobody | Removed => Standing::Nobody,
            Disabled => Standing::Disabled,
            Reader | TeamReader => Standing::Member(Permissions::READ),
            Writer | TeamWriter => Standing::Member(Permissions::READ_WRITE),
            Resharer => Standing::Member(Permissions::ALL),
            Guest | OldGuest | GuestWithPassword => Standing::Guest(Permissions::READ),
            EditingGuest => Standing::Guest(Permissions::READ_WRITE),
            HandingInGuest => Standing::HandingIn,
            GuestWithoutPassword | GuestWithWrongPassword | OldGuestWithWrongPassword => Standing::Shut,
            GuestOfEndedLink => Standing::Ended,
        }
    }

    /// Whether the thing belongs to a team, and not to Alice.
    pub(super) fn is_of_team(self) -> bool {
        matches!(self, TeamReader | TeamWriter | TeamOutsider | OutOfTeam)
    }

    /// Whether they may neither see nor change anything of the thing.
    pub(super) fn may_nothing(self) -> bool {
        self.sees_nothing() && self.standing() != Standing::HandingIn
    }

    /// Whether they are told nothing of the thing, whatever they ask.
    pub(super) fn sees_nothing(self) -> bool {
        !matches!(self.standing(), Standing::Owner | Standing::Member(_) | Standing::Guest(_))
    }

    /// Lets them in as far as they may come, and says by which names they ask for what.
    pub(super) async fn enter(self, server: &Server, alice: &Client, things: &Things) -> (Client, Things) {
        match self {
            Owner => (alice.clone(), things.clone()),
            Stranger => (server.account("bob"), things.by_no_token()),
            Namesake => (alice.with("host", &server.another_host().await), things.by_no_token()),
            Nobody => (server.anonymous(), things.by_no_token()),
            Removed => {
                let (client, names) = self.shared(server, alice, things, 15).await;
                let bob = server.space.account_by_login("bob").await.expect("there").id;
                server.space.delete_account(bob).await.expect("removed");
                (client, names)
            }
            Disabled => {
                let (client, names) = self.shared(server, alice, things, 15).await;
                let bob = server.space.account_by_login("bob").await.expect("there").id;
                let off = AccountUpdate { is_enabled: Some(false), ..AccountUpdate::default() };
                server.space.update_account(bob, off).await.expect("disabled");
                (client, names)
            }
            Reader => self.shared(server, alice, things, 1).await,
            Writer => self.shared(server, alice, things, 15).await,
            Resharer => self.shared(server, alice, things, 31).await,
            Unshared => {
                let (client, names) = self.shared(server, alice, things, 31).await;
                alice.unshare(&names.get("received")).await;
                (client, names)
            }
            OutOfGroup | TeamReader | TeamWriter | TeamOutsider | OutOfTeam => {
                self.grouped(server, alice, things).await
            }
            _ => self.linked(server, alice, things).await,
        }
    }

    /// Bob, with whom Alice shares it.
    async fn shared(self, server: &Server, alice: &Client, things: &Things, bits: u8) -> (Client, Things) {
        let share = alice.share("/xylograph", "bob", bits).await;
        let bob = server.account("bob");
        let names = things.at_home_of("bob").with("received", share).with_addresses(server, &bob).await;
        (bob, names)
    }

    /// Bob, in a group.
    async fn grouped(self, server: &Server, alice: &Client, things: &Things) -> (Client, Things) {
        let (bob, space) = (server.account("bob"), &server.space);
        let binders = space.create_group("binders", "").await.expect("a group").id;
        let bobs = space.account_by_login("bob").await.expect("there").id;
        space.add_to_group(binders, bobs).await.expect("in the group");
        if self.is_of_team() {
            let bits = match self {
                TeamReader => Permissions::READ,
                TeamOutsider => Permissions::NONE,
                _ => Permissions::READ_WRITE,
            };
            let folder = space.team_folder_named("xylograph").await.expect("the team folder").id;
            space.grant_team_folder(folder, binders, bits).await.expect("granted");
        } else {
            let form = "path=/xylograph&shareType=1&shareWith=binders&permissions=15";
            alice.ocs("POST", "/apps/files_sharing/api/v1/shares", form).await.expect(200);
        }
        let names = things.at_home_of("bob");
        let names = match self {
            TeamOutsider => names.by_no_token(),
            _ => names.with_addresses(server, &bob).await,
        };
        if matches!(self, OutOfGroup | OutOfTeam) {
            bob.propfind("/xylograph/", 0).await.expect(207);
            take_out(server, binders).await;
        }
        (bob, names)
    }

    /// Somebody with a link.
    async fn linked(self, server: &Server, alice: &Client, things: &Things) -> (Client, Things) {
        let bits = match self {
            EditingGuest => 15,
            HandingInGuest => 4,
            _ => 1,
        };
        let has_password = self.standing() == Standing::Shut || self == GuestWithPassword;
        let password = if has_password { format!("&password={PASSWORD}") } else { String::new() };
        let form = format!("path=/xylograph&shareType=3&permissions={bits}{password}");
        let made = alice.ocs("POST", "/apps/files_sharing/api/v1/shares", &form).await.expect(200).json();
        let made = &made["ocs"]["data"];
        let token = made["token"].as_str().expect("a token");
        let nobody = server.anonymous();
        let is_old = matches!(self, OldGuest | OldGuestWithWrongPassword);
        let folder = if is_old { "/public.php/webdav".to_owned() } else { format!("/public.php/dav/files/{token}") };
        let names = things.by_no_token().with("token", token.to_owned()).with("folder", folder);
        let names = names.with("uploads", format!("/public.php/dav/uploads/{token}"));
        let client = match self {
            OldGuest => nobody.as_login(token, ""),
            OldGuestWithWrongPassword => nobody.as_login(token, "wrong"),
            GuestWithWrongPassword => nobody.as_login("anybody", "wrong"),
            GuestWithPassword => nobody.as_login("anybody", PASSWORD).with("cookie", &ticket(&nobody, token).await),
            _ => nobody,
        };
        if self == GuestOfEndedLink {
            let id = made["id"].as_str().expect("an id");
            client.request("PROPFIND", &names.put_into("{folder}/")).header("depth", "0").await.expect(207);
            alice.unshare(id).await;
        }
        (client, names)
    }
}

async fn take_out(server: &Server, group: GroupId) {
    let bobs = server.space.account_by_login("bob").await.expect("there").id;
    server.space.remove_from_group(group, bobs).await.expect("out of the group");
}

/// What a page gives to a browser that has told the password.
async fn ticket(nobody: &Client, token: &str) -> String {
    let form = nobody.request("POST", &format!("/s/{token}/authenticate/showshare"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").body(format!("password={PASSWORD}"));
    let cookie = form.await.expect(303).header("set-cookie").to_owned();
    cookie.split(';').next().expect("a cookie").to_owned()
}

/// The team folder, before Alice puts anything into it.
pub(super) async fn team_folder(server: &Server) {
    let space = &server.space;
    let folder = space.create_team_folder("xylograph", None).await.expect("a team folder").id;
    space.grant_team_folder(folder, printers(server).await, Permissions::ALL).await.expect("granted");
}
