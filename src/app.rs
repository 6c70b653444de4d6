//! The composition root: store, log-ins, the DAV engine and its extensions, behind one function from request to answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use nichoir_auth::{AuthError, Authenticator, Caller};
use nichoir_caldav::Caldav;
use nichoir_carddav::Carddav;
use nichoir_dav::virtual_resource::{VirtualResource, VirtualValue};
use nichoir_dav::{Dav, Error, Extension, Mount, Request, Response, principal};
use nichoir_imip::{Limits as MailLimits, Mailer, Smtp};
use nichoir_nextcloud::bulk::{self, BulkLimits};
use nichoir_nextcloud::calendar_trash;
use nichoir_nextcloud::notes::{self, NotesLimits};
use nichoir_nextcloud::office::{self, Office};
use nichoir_nextcloud::search::{self, SearchLimits};
use nichoir_nextcloud::upload::{self, UploadMount};
use nichoir_nextcloud::{LinkSettings, NextcloudLinks, NextcloudTrash, link, trashbin, versions};
use nichoir_nextcloud::{
    Nextcloud, NextcloudCollections, Visit, auth_error, avatar, comments, direct, grammars, image, internal_link,
    legacy, login_flow, ocs, status, suspended, tags,
};
use nichoir_notify::NotifyPush;
use nichoir_outbound::Outbound;
use nichoir_preview::{Kinds, Previews};
use nichoir_push::Sender;
use nichoir_store::{Account, Area, Group, Ports, Space, SpaceState, Store};
use nichoir_xml::dav as names;

use crate::config::Config;
use crate::gate::{Arrival, Network, Peer, arrival};
use crate::generated::Generator;
use crate::observe::Metrics;
use crate::route::{DavRoute, Home, Route};
use crate::seat::Seat;
use crate::stack::{self, Begun, RequestIds};
use crate::subscription::Subscriptions;
use crate::{forged, notify, push, turn};

/// The whole server but its listeners. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    auth: Authenticator,
    engines: Engines,
    generator: Generator,
    subscriptions: Subscriptions,
    /// Where previews are made.
    previews: Previews,
    trusted: Vec<Network>,
    has_dialect: bool,
    /// Tells clients what moves, where that is offered.
    push: Option<Sender>,
    /// Sockets on which clients are told, where they are offered.
    notify: Option<NotifyPush>,
    /// The way to the mail server, where there is one.
    mail: Option<(Smtp, MailLimits)>,
    /// Bulk upload, where it is switched on.
    bulk: Option<BulkLimits>,
    avatar_bytes_max: usize,
    notes: NotesLimits,
    /// The office server, where there is one.
    office: Option<Office>,
    links: LinkSettings,
    parameter_bytes_max: usize,
    search: SearchLimits,
    product_name: String,
    metrics: Arc<Metrics>,
    request_ids: RequestIds,
    ports: Ports,
}

/// The DAV engine, once for each kind of tree: each has the properties and reports of its protocol.
#[derive(Debug)]
struct Engines {
    files: Dav,
    /// The trash of files.
    trash: Dav,
    /// What public links lead to.
    links: Dav,
    calendars: Dav,
    address_books: Dav,
}

impl Engines {
    fn new(config: &Config, outbound: &Outbound, previews: Kinds) -> Engines {
        let dialect = |extension: Arc<dyn Extension>| config.dialect.nextcloud.then_some(extension);
        // With these lines taken out, what is left is a plain WebDAV, CalDAV and CardDAV server.
        let files: Vec<Arc<dyn Extension>> = dialect(Arc::new(Nextcloud { previews })).into_iter().collect();
        let push = push::extension(config, outbound);
        let mut calendars: Vec<Arc<dyn Extension>> = vec![Arc::new(Caldav { limits: config.calendar_limits() })];
        calendars.extend(dialect(Arc::new(NextcloudCollections { area: Area::Calendars })));
        calendars.extend(push.clone());
        let mut address_books: Vec<Arc<dyn Extension>> = vec![Arc::new(Carddav { limits: config.card_limits() })];
        address_books.extend(dialect(Arc::new(NextcloudCollections { area: Area::AddressBooks })));
        address_books.extend(push);
        let limits = config.dav_limits();
        let engine = |own: &[Arc<dyn Extension>], others: [&[Arc<dyn Extension>]; 2]| {
            Dav::new(own.to_vec(), others.concat(), limits.clone())
        };
        Engines {
            files: engine(&files, [&calendars, &address_books]),
            trash: engine(&[Arc::new(NextcloudTrash { previews })], [&[], &[]]),
            links: engine(&[Arc::new(NextcloudLinks)], [&[], &[]]),
            calendars: engine(&calendars, [&files, &address_books]),
            address_books: engine(&address_books, [&files, &calendars]),
        }
    }

    fn of(&self, area: Area) -> &Dav {
        match area {
            Area::Files => &self.files,
            Area::Calendars => &self.calendars,
            Area::AddressBooks => &self.address_books,
        }
    }
}

/// The root of the DAV tree.
const ROOT: &str = "/remote.php/dav/";

/// Above a login in a path.
const PRINCIPALS: &str = "/remote.php/dav/principals/users/";

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: &Config, store: Store, ports: Ports) -> Result<App, String> {
        let trusted =
            config.server.trusted_proxies.iter().map(|text| Network::parse(text)).collect::<Result<_, _>>()?;
        let outbound = Outbound::new(config.outbound_limits());
        let previews = config.previews();
        let push = || Sender::new(store.clone(), outbound.clone(), config.push_send_limits());
        let auth = Authenticator::new(config.auth_limits(), &ports);
        let notify = config.notify_limits().map(|limits| NotifyPush::new(store.clone(), auth.clone(), limits));
        Ok(App(Arc::new(Parts {
            auth,
            engines: Engines::new(config, &outbound, previews.kinds()),
            previews,
            generator: config.generator(),
            subscriptions: config.subscriptions(&outbound),
            push: config.push.is_offered.then(push),
            notify,
            mail: config.smtp()?.as_ref().map(Smtp::new).transpose()?.map(|smtp| (smtp, config.mail_limits())),
            store,
            trusted,
            has_dialect: config.dialect.nextcloud,
            bulk: config.bulk_limits(),
            avatar_bytes_max: config.previews.avatar_bytes_max,
            notes: config.notes_limits(),
            office: config.office()?,
            links: config.link_settings(),
            parameter_bytes_max: config.dialect.parameter_bytes_max,
            search: config.search_limits(),
            product_name: config.dialect.product_name.clone(),
            metrics: Arc::new(Metrics::default()),
            request_ids: RequestIds::default(),
            ports,
        })))
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What goes on beside requests: run for as long as the server serves.
    pub async fn run_beside(&self) {
        let push = async {
            if let Some(push) = &self.0.push {
                push.clone().run().await;
            }
        };
        let mail = async {
            if let Some((smtp, limits)) = &self.0.mail {
                Mailer::new(self.0.store.clone(), smtp.clone(), limits.clone()).run().await;
            }
        };
        let notify = async {
            if let Some(notify) = &self.0.notify {
                notify.run().await;
            }
        };
        tokio::join!(push, mail, notify);
    }

    /// Writes down what still waits to be: before the store is closed.
    pub async fn write_what_waits(&self) {
        self.0.auth.write_failures().await;
    }

    /// Closes the sockets on which clients are told of changes, and waits for it, but no longer than `longest`.
    pub async fn close_sockets(&self, longest: Duration) {
        if let Some(notify) = &self.0.notify {
            notify.stop(longest).await;
        }
    }

    /// Sockets that are open now.
    pub(crate) fn push_sockets(&self) -> usize {
        self.0.notify.as_ref().map_or(0, NotifyPush::open)
    }

    /// The sockets on which clients are told of changes, where they are offered.
    pub fn notify_push(&self) -> Option<&NotifyPush> {
        self.0.notify.as_ref()
    }

    /// Forgets the previews of spaces that are gone, whichever server deleted them.
    pub(crate) async fn forget_previews(&self) {
        let known: HashSet<String> = match self.0.store.spaces().await {
            Ok(spaces) => spaces.iter().map(|space| space.uuid.to_string()).collect(),
            Err(error) => return tracing::warn!(%error, "previews of spaces that are gone are not looked for"),
        };
        self.0.previews.keep_only(move |space| known.contains(space)).await;
    }

    /// Where numbers of requests come from.
    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.0.request_ids
    }

    /// The clock and the random source.
    pub(crate) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    /// Answers a request.
    pub async fn handle(&self, peer: Peer, request: Request) -> Response {
        let begun = Begun::of(self, &request);
        // On the heap: every layer around it would move it, and it is thousands of bytes.
        stack::layered(self, begun, Box::pin(self.answer(peer, request))).await
    }

    async fn answer(&self, peer: Peer, request: Request) -> Response {
        let arrival = match arrival(peer, &self.0.trusted, &request) {
            Ok(arrival) => arrival,
            Err(error) => return self.0.engines.files.refuse(error),
        };
        let path = request.uri().path().to_owned();
        let route = Route::of(&path);
        // The connectivity check says nothing about any space.
        if route == Route::Connectivity && self.0.has_dialect {
            return legacy::connectivity();
        }
        let space = match self.0.store.space_for_host(&arrival.host).await {
            Ok(Some(space)) => space,
            Ok(None) => return self.0.engines.files.refuse(Error::not_found()),
            Err(error) => return self.0.engines.files.refuse(error.into()),
        };
        if let Some(seat) = request.extensions().get::<Seat>()
            && !seat.take(space.info().id)
        {
            return turned_away(request.version());
        }
        let is_suspended = space.info().state == SpaceState::Suspended;
        if route == Route::Status && self.0.has_dialect {
            let title = &space.info().theme.title;
            let product_name = if title.is_empty() { &self.0.product_name } else { title };
            return status::answer(product_name, is_suspended);
        }
        if is_suspended {
            let mut response = self.0.engines.files.refuse(suspended());
            response.headers_mut().insert("x-nextcloud-maintenance-mode", HeaderValue::from_static("1"));
            return response;
        }
        let (parts, body) = request.into_parts();
        if forged::is_forged(&parts, &route, &arrival.public_url) {
            let error = Error::new(StatusCode::PRECONDITION_FAILED, "CSRF check failed");
            return self.0.engines.files.refuse(error);
        }
        let request = Request::from_parts(parts, body);
        // On the heap, as in `handle`.
        let answer = Box::pin(async {
            match self.plain(&space, &arrival, &route, request).await {
                Ok(response) => response,
                Err(request) => Box::pin(self.dav(&space, &arrival, route, request)).await,
            }
        });
        match space.in_turn(answer).await {
            Ok(response) => turn::in_turns(&space, response),
            Err(error) => self.0.engines.files.refuse(error.into()),
        }
    }

    /// The routes that are no DAV; gives the request back where it is one.
    async fn plain(
        &self,
        space: &Space,
        arrival: &Arrival,
        route: &Route,
        request: Request,
    ) -> Result<Response, Request> {
        let public_url = arrival.public_url.as_str();
        let visit = Visit {
            space,
            auth: &self.0.auth,
            address: arrival.address,
            public_url,
            has_bulk_upload: self.0.bulk.is_some(),
            has_push: self.0.notify.is_some(),
            previews: &self.0.previews,
            avatar_bytes_max: self.0.avatar_bytes_max,
            links: &self.0.links,
            parameter_bytes_max: self.0.parameter_bytes_max,
            office: self.0.office.as_ref().filter(|_| self.0.has_dialect),
        };
        if *route == Route::WellKnownDav {
            return Ok(legacy::well_known(public_url));
        }
        if !self.0.has_dialect {
            return Err(request);
        }
        // On the heap, each by itself: what DAV needs of the stack is not to depend on them.
        Ok(match route {
            Route::Landing if is_read(request.method()) => login_flow::landing(visit, request.headers()),
            Route::PushSocket => match &self.0.notify {
                Some(push) => notify::socket(push, space, arrival, request),
                None => return Err(request),
            },
            Route::PushPreAuth => match &self.0.notify {
                Some(push) => Box::pin(self.pre_auth(push, visit, request)).await,
                None => return Err(request),
            },
            Route::Robots if is_read(request.method()) => legacy::robots(),
            Route::Ocs(version, path) => Box::pin(ocs::handle(visit, *version, path, request)).await,
            Route::Image(image, below) => Box::pin(image::handle(visit, *image, below, request)).await,
            Route::Office(path) => match &self.0.office {
                Some(office) => Box::pin(office::handle(visit, office, &self.0.engines.files, path, request)).await,
                None => return Err(request),
            },
            Route::Notes(path) => Box::pin(notes::handle(visit, &self.0.notes, path, request)).await,
            Route::LinkPage(token, below) => Box::pin(link::page::handle(&visit, token, below, request)).await,
            Route::InternalLink if is_read(request.method()) => internal_link::answer(&visit, request.headers()),
            Route::LinkStyle if is_read(request.method()) => link::style(),
            Route::Link(place) => Box::pin(link::files::handle(&self.0.engines.links, &visit, place, request)).await,
            Route::Login(path) => Box::pin(login_flow::handle(visit, path, request)).await,
            Route::Wipe(is_check) if *request.method() == Method::POST => {
                Box::pin(login_flow::wipe(visit, *is_check, request)).await
            }
            _ => return Err(request),
        })
    }

    async fn pre_auth(&self, push: &NotifyPush, visit: Visit<'_>, request: Request) -> Response {
        match visit.caller(request.headers()).await {
            Ok(caller) => {
                let answer = notify::pre_auth(push, &caller, request.method()).await;
                answer.unwrap_or_else(|error| self.0.engines.files.refuse(error))
            }
            Err(error) => self.challenge(&request, error),
        }
    }

    async fn dav(&self, space: &Space, arrival: &Arrival, route: Route, request: Request) -> Response {
        let dav = &self.0.engines.files;
        let route = match route {
            Route::Dav(route) => route,
            Route::Landing => DavRoute::Front,
            // Apple's set-up tries several paths before it sends a password: told 404, it never would.
            Route::Unknown if is_dav(request.method()) => DavRoute::Unknown,
            Route::Malformed => return dav.refuse(Error::bad_request("The path cannot be decoded.")),
            _ => return dav.refuse(Error::not_found()),
        };
        if let DavRoute::Direct(token) = &route
            && self.0.has_dialect
        {
            return Box::pin(direct::handle(dav, space, token, request)).await;
        }
        if let DavRoute::PublicCalendar(token, prefix) = &route
            && self.0.has_dialect
        {
            return Box::pin(self.published(space, arrival, token, prefix, request)).await;
        }
        let caller = match self.0.auth.authenticate(space, request.headers(), arrival.address).await {
            Ok(caller) => push::quietly(caller, request.headers()),
            Err(error) => return self.challenge(&request, error),
        };
        let principal = principal::href_of(PRINCIPALS, &caller.account.login);
        let shows_subscriptions =
            matches!(route, DavRoute::Area(Area::Calendars, _)) && wants_cached_subscriptions(request.headers());
        let mount = |prefix: String| Mount {
            prefix: prefix.into(),
            principal: principal.as_str().into(),
            principals: PRINCIPALS.into(),
            site: arrival.public_url.as_str().into(),
            shows_subscriptions,
        };
        if request.method().as_str() == "SEARCH" && self.0.has_dialect {
            let answer = Box::pin(search::handle(dav, &caller, &mount(String::new()), &self.0.search, request)).await;
            return answer.unwrap_or_else(|error| dav.refuse(error));
        }
        match route {
            DavRoute::Files(home) if is_own(&caller, &home) => dav.handle(&caller, &mount(home.prefix), request).await,
            DavRoute::LegacyFiles(prefix) => dav.handle(&caller, &mount(prefix), request).await,
            DavRoute::Uploads(home) if self.0.has_dialect && is_own(&caller, &home) => {
                let own = home.prefix.replacen("/uploads/", "/files/", 1);
                let files = vec![own, "/remote.php/webdav".to_owned(), "/remote.php/files".to_owned()];
                Box::pin(upload::handle(dav, &caller, &UploadMount { prefix: home.prefix, files }, request)).await
            }
            DavRoute::Trash(home) if self.0.has_dialect && is_own(&caller, &home) => {
                Box::pin(trashbin::handle(&self.0.engines.trash, &caller, &mount(home.prefix), request)).await
            }
            DavRoute::Versions(home) if self.0.has_dialect && is_own(&caller, &home) => {
                Box::pin(versions::handle(dav, &caller, &mount(home.prefix), request)).await
            }
            DavRoute::HomesOf(_) if !self.0.has_dialect => dav.refuse(Error::not_found()),
            DavRoute::Area(area, home) if is_own(&caller, &home) => {
                let dav = self.0.engines.of(area);
                match Box::pin(caller.tree.in_area(area)).await {
                    Ok(tree) => {
                        let caller = Caller { tree, ..caller };
                        let answer = Box::pin(self.collections(&caller, &mount(home.prefix), request)).await;
                        push::with_whole_location(answer, &arrival.public_url)
                    }
                    Err(error) => dav.refuse(error.into()),
                }
            }
            DavRoute::Avatar(login, file) if self.0.has_dialect => {
                let (request, _) = request.into_parts();
                let answer = Box::pin(avatar::of_dav(&self.0.previews, &caller, &login, &file, &request)).await;
                answer.unwrap_or_else(|error| dav.refuse(error))
            }
            DavRoute::Tags(prefix) if self.0.has_dialect => {
                Box::pin(tags::handle(dav, &caller, &mount(prefix), false, request)).await
            }
            DavRoute::TagsOfFiles(prefix) if self.0.has_dialect => {
                Box::pin(tags::handle(dav, &caller, &mount(prefix), true, request)).await
            }
            DavRoute::Comments(prefix) if self.0.has_dialect => {
                Box::pin(comments::handle(dav, &caller, &mount(prefix), request)).await
            }
            DavRoute::Bulk => match &self.0.bulk {
                Some(limits) => Box::pin(bulk::handle(dav, &caller, limits, request)).await,
                None => dav.refuse(Error::not_found()),
            },
            DavRoute::PushRegistration(name) => {
                let answer = Box::pin(nichoir_push::unregister(&caller, &name, request.method())).await;
                answer.unwrap_or_else(|error| dav.refuse(error))
            }
            // Another account's tree and one that does not exist look the same.
            DavRoute::Files(_)
            | DavRoute::Uploads(_)
            | DavRoute::Trash(_)
            | DavRoute::Versions(_)
            | DavRoute::Area(..) => dav.refuse(Error::not_found()),
            route => {
                let mount = mount(String::new());
                match Box::pin(virtual_resources(dav, &route, &caller, &mount, request.uri().path())).await {
                    Ok(resources) => Box::pin(dav.answer_virtual(&caller, &mount, &resources, request)).await,
                    Err(error) => dav.refuse(error),
                }
            }
        }
    }

    /// Calendars and address books, those that are made of other content brought up to date before they are looked at.
    async fn collections(&self, caller: &Caller, mount: &Mount, request: Request) -> Response {
        let dav = self.0.engines.of(caller.tree.area());
        let below = request.uri().path().strip_prefix(&*mount.prefix).unwrap_or_default().to_owned();
        let method = request.method().clone();
        if let Err(error) = self.0.generator.refresh(caller, &method, &below).await {
            // What was made before is still right, only older.
            tracing::warn!(cause = %error, "a generated collection is not brought up to date");
        }
        if caller.tree.area() == Area::Calendars
            && let Err(error) = self.0.subscriptions.refresh(caller, &method, &below).await
        {
            tracing::warn!(cause = %error, "a subscription is not brought up to date");
        }
        let request = match self.0.has_dialect && caller.tree.area() == Area::Calendars {
            false => request,
            true => match calendar_trash::answer(dav, caller, mount, request).await {
                Ok(response) => return response,
                Err(request) => request,
            },
        };
        let response = dav.handle(caller, mount, request).await;
        if method == Method::DELETE
            && response.status().is_success()
            && let Err(error) = self.0.generator.after_delete(caller, &below).await
        {
            tracing::warn!(cause = %error, "the end of a generated collection is not noted");
        }
        response
    }

    /// A published calendar, for whoever has its link: read, and nothing else.
    async fn published(
        &self,
        space: &Space,
        arrival: &Arrival,
        token: &str,
        prefix: &str,
        request: Request,
    ) -> Response {
        let dav = self.0.engines.of(Area::Calendars);
        if !["OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT"].contains(&request.method().as_str()) {
            return dav.refuse(Error::need_privileges("Published calendars are read only."));
        }
        let tree = match space.published(token).await {
            Ok(tree) => tree,
            Err(error) => return dav.refuse(error.into()),
        };
        let caller = Caller { account: Arc::new(tree.account().clone()), device: None, tree, space: space.clone() };
        let mount = Mount {
            prefix: prefix.into(),
            principal: "".into(),
            principals: PRINCIPALS.into(),
            site: arrival.public_url.as_str().into(),
            shows_subscriptions: true,
        };
        dav.handle(&caller, &mount, request).await
    }

    /// No caller: why, and how to log in.
    fn challenge(&self, request: &Request, error: AuthError) -> Response {
        let headers = request.headers();
        let mut response = self.0.engines.files.refuse(auth_error(error));
        if response.status() == StatusCode::UNAUTHORIZED {
            // A browser's script must not make the browser ask for a password.
            let is_script = headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest");
            let challenge = match is_script {
                true => HeaderValue::from_static("DummyBasic realm=\"nichoir\", charset=\"UTF-8\""),
                false => HeaderValue::from_static("Basic realm=\"nichoir\", charset=\"UTF-8\""),
            };
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            // What there is may be known before a password is sent, and clients that were led here ask (RFC 4791 §5.1).
            if *request.method() == Method::OPTIONS {
                let features = self.0.engines.files.options().headers_mut().remove("dav");
                response.headers_mut().extend(features.map(|features| (HeaderName::from_static("dav"), features)));
            }
        }
        response
    }
}

/// Whether the parts could be put together from this configuration.
///
/// # Errors
/// What is wrong with it.
pub fn check_config(config: &Config) -> Result<(), String> {
    config.server.trusted_proxies.iter().try_for_each(|text| Network::parse(text).map(drop))?;
    config.office()?;
    config.smtp()?.as_ref().map_or(Ok(()), |smtp| Smtp::new(smtp).map(drop))
}

/// 503 to a connection that its space has no place for; it ends with that.
fn turned_away(version: Version) -> Response {
    let mut response = stack::plain(StatusCode::SERVICE_UNAVAILABLE, "Too many connections. Try again later.\n");
    if version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn is_read(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn is_dav(method: &Method) -> bool {
    ["PROPFIND", "PROPPATCH", "REPORT"].contains(&method.as_str())
}

/// Whether the client cannot fetch a subscription itself, and takes what the server has fetched for a calendar:
/// Evolution, KDE's and Outlook's by name, others by Nextcloud's header.
fn wants_cached_subscriptions(headers: &http::HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent = text("user-agent");
    text("x-nc-caldav-webcal-caching").eq_ignore_ascii_case("on")
        || agent.starts_with("MSFT-WIN-3")
        || agent.contains("Evolution")
        || agent.contains("KIO")
}

/// Whether the login in the path is the caller's, whatever its case: hrefs repeat the spelling that was asked for.
fn is_own(caller: &Caller, home: &Home) -> bool {
    home.login.eq_ignore_ascii_case(&caller.account.login)
}

/// The groups of the space, below `groups`.
async fn groups(dav: &Dav, caller: &Caller, mount: &Mount, groups: &str) -> Result<Vec<VirtualResource>, Error> {
    let accounts = caller.space.accounts().await?;
    let memberships = caller.space.memberships().await?;
    let is_in = |account: &Account, group: &Group| {
        group.is_everyone() || memberships.get(&account.id).is_some_and(|numbers| numbers.contains(&group.id))
    };
    let resource = |group: &Group| {
        let members = accounts.iter().filter(|account| account.is_enabled && is_in(account, group));
        let members = members.map(|account| principal::href_of(&mount.principals, &account.login)).collect();
        dav.group(&principal::href_of(groups, &group.name), &group.display_name, members, mount)
    };
    Ok(caller.space.groups().await?.iter().map(resource).collect())
}

/// The group of that name, below `groups`.
async fn group(dav: &Dav, caller: &Caller, mount: &Mount, groups: &str, name: &str) -> Result<VirtualResource, Error> {
    let group = caller.space.group_by_name(name).await?;
    let members = caller.space.members_of(group.id).await?;
    let enabled = members.iter().filter(|account| account.is_enabled);
    let members = enabled.map(|account| principal::href_of(&mount.principals, &account.login)).collect();
    Ok(dav.group(&principal::href_of(groups, &group.name), &group.display_name, members, mount))
}

/// The fixed collections and the principals: what the path names, and its members.
async fn virtual_resources(
    dav: &Dav,
    route: &DavRoute,
    caller: &Caller,
    mount: &Mount,
    path: &str,
) -> Result<Vec<VirtualResource>, Error> {
    let own = format!("{}/", path.trim_end_matches('/'));
    let login = &caller.account.login;
    let collection = |href: String, name: &str| {
        VirtualResource::collection(href, name).with_principal(&mount.principal, &mount.principals)
    };
    let member = |name: &str| collection(format!("{own}{name}/"), name);
    let mine = || collection(principal::href_of(&own, login), login);
    Ok(match route {
        DavRoute::Front => vec![collection("/".to_owned(), "/"), collection(ROOT.to_owned(), "dav")],
        DavRoute::Root(_) => {
            let members = ["files", "principals", "calendars", "addressbooks"].map(member);
            let grammars = VirtualValue::Fragment(grammars());
            let root = collection(own.clone(), "dav").with(names::SUPPORTED_QUERY_GRAMMAR_SET, grammars);
            [root].into_iter().chain(members).collect()
        }
        DavRoute::Homes(_) => vec![collection(own.clone(), "files"), mine()],
        DavRoute::HomesOf(name) => vec![collection(own.clone(), name), mine()],
        DavRoute::AreaHomes(area) => {
            let name = if *area == Area::Calendars { "calendars" } else { "users" };
            vec![collection(own.clone(), name), mine()]
        }
        DavRoute::AddressBookKinds => vec![collection(own.clone(), "addressbooks"), member("users")],
        DavRoute::PrincipalKinds(_) => vec![collection(own.clone(), "principals"), member("users"), member("groups")],
        DavRoute::Groups(_) => {
            let mut found = vec![collection(own.clone(), "groups")];
            found.extend(groups(dav, caller, mount, &own).await?);
            found
        }
        DavRoute::Group(name) => {
            let above = own.trim_end_matches('/').rfind('/').map_or("/", |slash| &own[..=slash]);
            vec![group(dav, caller, mount, above, name).await?]
        }
        DavRoute::Principals(_) => {
            let mut found = vec![collection(own.clone(), "users")];
            found.extend(dav.principals(caller, mount).await?);
            found
        }
        DavRoute::Principal(home) => {
            let accounts = caller.space.accounts().await?;
            let is_meant = |account: &&Account| account.login.eq_ignore_ascii_case(&home.login) && account.is_enabled;
            let account = accounts.iter().find(is_meant).ok_or_else(Error::not_found)?;
            let groups = format!("{}/principals/groups/", principal::root_of(&mount.principals));
            let memberships = caller.space.groups_of(account.id).await?;
            let memberships = memberships.iter().map(|group| principal::href_of(&groups, &group.name)).collect();
            vec![dav.principal(account, mount).with(names::GROUP_MEMBERSHIP, VirtualValue::Hrefs(memberships))]
        }
        _ => return Err(Error::not_found()),
    })
}
