"""Calendars and address books looked at without any of the clients under test, and samples to put into them."""

import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from dav import Dav

HOMES = {"calendars": "/remote.php/dav/calendars/{}/", "addressbooks": "/remote.php/dav/addressbooks/users/{}/"}


def _lines(*lines):
    return "".join(f"{line}\r\n" for line in lines).encode()


def event(uid, title, start="20270310T100000Z", more=()):
    return _lines(
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//nichoir//clients//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20270101T000000Z",
        f"DTSTART:{start}", "DURATION:PT1H", f"SUMMARY:{title}", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR;X-P=\"a,b\":AUTOMATIC", *more, "END:VEVENT", "END:VCALENDAR",
    )


def todo(uid, title, more=()):
    return _lines(
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//nichoir//clients//EN", "BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20270101T000000Z", f"SUMMARY:{title}", *more,
        "END:VTODO", "END:VCALENDAR",
    )


def card(uid, name, more=()):
    return _lines(
        "BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", "item1.TEL;TYPE=cell:+33 1 23 45 67 89", "item1.X-ABLabel:_$!<Mobile>!$_", *more,
        "END:VCARD",
    )


class Collection:
    """A collection of an account, over requests of our own."""

    def __init__(self, server, login, kind, name):
        self.dav = Dav(server, login)
        self.home = HOMES[kind].format(urllib.parse.quote(login))
        self.path = f"{self.home}{urllib.parse.quote(name)}/"
        self.type = "text/calendar" if kind == "calendars" else "text/vcard"

    def ask(self, method, name="", body=None, headers=None, expected=(200, 201, 204, 207)):
        answer = self.dav.request(method, self.path + urllib.parse.quote(name), body, headers)
        assert answer.status in expected, f"{method} {self.path}{name}: {answer.status} {answer.body[:300]}"
        return answer

    def put(self, name, body, headers=None):
        return self.ask("PUT", name, body, {"Content-Type": f"{self.type}; charset=utf-8", **(headers or {})})

    def delete(self, name):
        self.ask("DELETE", name)

    def move(self, name, to):
        self.ask("MOVE", name, headers={"Destination": f"http://127.0.0.1:{self.dav.server.port}{self.path}{urllib.parse.quote(to)}", "Overwrite": "F"})

    def etags(self):
        """Name → etag of each member."""
        return {urllib.parse.unquote(href[len(self.path):]): found["getetag"].text for href, found in self.dav.list(self.path) if urllib.parse.unquote(self.path) != href}

    def contents(self):
        """Name → bytes of each member."""
        return {name: self.ask("GET", name).body for name in self.etags()}

    def name_of(self, uid):
        """The name of the member with that UID."""
        wanted = f"\r\nUID:{uid}\r\n".encode()
        return next(name for name, body in self.contents().items() if wanted in body)

    def property(self, namespace, name):
        """The text of a property, "" if there is none."""
        body = f'<propfind xmlns="DAV:"><prop><x:{name} xmlns:x="{namespace}"/></prop></propfind>'
        answer = self.ask("PROPFIND", body=body.encode(), headers={"Depth": "0"})
        return ElementTree.fromstring(answer.body).findtext(f".//{{{namespace}}}{name}", "")

    def patch(self, namespace, name, text):
        body = f'<propertyupdate xmlns="DAV:"><set><prop><x:{name} xmlns:x="{namespace}">{escape(text)}</x:{name}></prop></set></propertyupdate>'
        answer = self.ask("PROPPATCH", body=body.encode())
        assert b" 200 " in answer.body, answer.body
