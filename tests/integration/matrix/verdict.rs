//! What a row asks for, what a column may, and what is answered where the two meet.

use nichoir_store::Permissions;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Nothing that matters: anybody may ask.
    Nothing,
    /// Something of the caller's own account, which everybody who has one is answered, and nothing of hers.
    Account,
    /// Something below the caller's own address, where hers is not; below her address there is nothing for others.
    Home,
    /// Something that only who manages the space may do.
    Manages,
    /// To see the thing.
    Reads,
    /// To see it on a page, or by another address for which the token is enough.
    Page,
    /// To change what is there.
    Updates,
    /// To add something to it.
    Creates,
    /// To take something out of it.
    Deletes,
    /// To hand it on.
    Shares,
    /// What is only for whoever owns it.
    Owns,
    /// What is served for whoever was given its address, which says for whom and for what.
    Address,
}

/// What a column is to the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is theirs.
    Owner,
    /// They have these rights over it, as an account.
    Member(Permissions),
    /// They have an account, and no right.
    Stranger,
    /// The same, and they come by her address.
    Trespasser,
    /// Nobody knows them.
    Nobody,
    /// Their account is disabled.
    Disabled,
    /// They have these rights, by a link.
    Guest(Permissions),
    /// They have a link by which they may add, and see nothing.
    HandingIn,
    /// They have a link, and not its password.
    Shut,
    /// The link that they had is no more.
    Ended,
}

/// How a path says who asks, where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By an account.
    Account,
    /// By the place at which the column reaches the thing: a guest's is the link's.
    Place,
    /// By a link's token in the path.
    Token,
    /// By an address that was given out.
    Address,
}

impl Asks {
    /// The right that it takes, where it takes one.
    fn right(self) -> Option<Permissions> {
        Some(match self {
            Asks::Reads | Asks::Page => Permissions::READ,
            Asks::Updates => Permissions::UPDATE,
            Asks::Creates => Permissions::CREATE,
            Asks::Deletes => Permissions::DELETE,
            Asks::Shares => Permissions::SHARE,
            _ => return None,
        })
    }
}

/// The status that is answered: that of success, or why not.
pub(super) fn status(standing: Standing, asks: Asks, way: Way, success: u16) -> u16 {
    if asks == Asks::Nothing || standing == Standing::Owner {
        return success;
    }
    match (standing, way) {
        (Standing::Guest(rights), Way::Place | Way::Token) => within(rights, asks, success),
        (Standing::HandingIn, Way::Place | Way::Token) if asks == Asks::Creates || asks == Asks::Page => success,
        // Nothing else is answered, whatever there is.
        (Standing::HandingIn, Way::Place) => 405,
        // Pages lead to the password; programs are asked for it.
        (Standing::Shut, Way::Token) if asks == Asks::Page => 303,
        (Standing::Shut, Way::Place | Way::Token) => 401,
        (Standing::Ended, Way::Place) => 404,
        // Without a token that leads somewhere it does not matter who asks.
        (_, Way::Token) => 404,
        (Standing::Member(rights), Way::Address) => within(rights, asks, success),
        (_, Way::Address) => 404,
        (Standing::Nobody | Standing::Guest(_) | Standing::HandingIn | Standing::Shut | Standing::Ended, _) => 401,
        (Standing::Disabled, _) => 403,
        (_, _) if asks == Asks::Account => success,
        (_, _) if asks == Asks::Manages => 403,
        (Standing::Member(_) | Standing::Stranger, _) if asks == Asks::Home => success,
        (Standing::Member(rights), _) => within(rights, asks, success),
        (Standing::Stranger | Standing::Trespasser | Standing::Owner, _) => 404,
    }
}

/// Who sees the thing is told that a right is missing; for others there is no such thing.
fn within(rights: Permissions, asks: Asks, success: u16) -> u16 {
    match asks.right() {
        Some(right) if rights.includes(right) => success,
        None if asks == Asks::Address => success,
        None => 404,
        Some(_) if rights.includes(Permissions::READ) => 403,
        Some(_) => 404,
    }
}
