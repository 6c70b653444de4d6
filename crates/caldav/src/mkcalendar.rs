//! MKCALENDAR: an extended MKCOL under another name, of a calendar unless the body says otherwise. RFC 4791 §5.3.1.

use nichoir_dav::{Answering, Body, Call, Error, make_collection, read_xml};
use nichoir_store::CollectionKind;
use nichoir_xml::{Element, caldav, dav};

use crate::extension::components_of;

pub(crate) fn answer(call: &Call<'_>, body: Body) -> Answering {
    let (dav, caller, mount) = (call.dav.clone(), call.caller.clone(), call.mount.clone());
    let (path, parts) = (call.path.clone(), call.parts.clone());
    Box::pin(async move {
        let call = Call { dav: &dav, caller: &caller, mount: &mount, path: &path, parts: &parts };
        let root = read_xml(&dav, body).await?;
        if root.as_ref().is_some_and(|root| root.name != caldav::MKCALENDAR) {
            return Err(Error::unsupported_media_type(
                "The body of a MKCALENDAR is a CALDAV:mkcalendar element, if any.",
            ));
        }
        let told = root.as_ref().and_then(component_set);
        let kind = CollectionKind::Calendar(components_of(told)?);
        // An empty body element asks for nothing, which is fine here.
        let root = root.as_ref().filter(|root| root.child(&dav::SET).is_some());
        make_collection(&call, root, Some(kind), &caldav::MKCALENDAR_RESPONSE).await
    })
}

/// The component types that the body asks for.
fn component_set(root: &Element) -> Option<&Element> {
    let sets = root.elements().filter(|element| element.name == dav::SET);
    let props = sets.flat_map(Element::elements).filter(|element| element.name == dav::PROP);
    props.flat_map(Element::elements).find(|element| element.name == caldav::SUPPORTED_CALENDAR_COMPONENT_SET)
}
