"""A small WebDAV client on http.client, to look at the server's side without any of the clients under test."""

import base64
import hashlib
import http.client
import socket
import urllib.parse
import xml.etree.ElementTree as ElementTree

from server import PASSWORD

LISTING = b"""<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/>
<d:getetag/><d:getcontentlength/><oc:fileid/><d:quota-used-bytes/></d:prop></d:propfind>"""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Dav:
    """One member's view of her files, over one kept connection."""

    def __init__(self, server, login, password=PASSWORD):
        self.server, self.login = server, login
        self.authorization = "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """`path` is percent-encoded and absolute. One retry on a fresh connection, for those the server has closed."""
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
            try:
                self.connection.request(method, path, body, {"Authorization": self.authorization, **(headers or {})})
                answer = self.connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise

    def path(self, name):
        return f"/remote.php/dav/files/{urllib.parse.quote(self.login)}/{urllib.parse.quote(name)}"

    def put(self, name, content, headers=None):
        return self.request("PUT", self.path(name), content, headers)

    def announce(self, path, length):
        """Asks with `Expect: 100-continue` whether a PUT of that length would do; returns the first status told. Nothing of
        the body is sent."""
        head = f"PUT {path} HTTP/1.1\r\nHost: nest\r\nAuthorization: {self.authorization}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), 10) as connection:
            connection.sendall(head.encode())
            return int(connection.makefile("rb").readline().split()[1])

    def get(self, name):
        return self.request("GET", self.path(name))

    def list(self, path, depth="1"):
        """The responses of a listing: (decoded path, properties)."""
        answer = self.request("PROPFIND", path, LISTING, {"Depth": depth, "Content-Type": "application/xml"})
        if answer.status != 207:
            raise RuntimeError(f"PROPFIND {path}: {answer.status}")
        for response in ElementTree.fromstring(answer.body).findall("{DAV:}response"):
            found = {}
            for propstat in response.findall("{DAV:}propstat"):
                if " 200 " in propstat.findtext("{DAV:}status"):
                    found |= {element.tag.rpartition("}")[2]: element for element in propstat.find("{DAV:}prop")}
            yield urllib.parse.unquote(response.findtext("{DAV:}href")), found

    def walk(self, name=""):
        """Every resource below `name`, name → (is a collection, etag); the folder itself is ''."""
        home = urllib.parse.unquote(self.path(""))
        tree, waiting = {}, [self.path(name)]
        while waiting:
            folder = waiting.pop()
            for href, found in self.list(folder):
                is_collection = found["resourcetype"].find("{DAV:}collection") is not None
                relative = href.removeprefix(home).rstrip("/")
                if relative not in tree and is_collection and urllib.parse.quote(href) != folder:
                    waiting.append(urllib.parse.quote(href))
                tree[relative] = (is_collection, found["getetag"].text)
        return tree

    def hashes(self):
        """name → SHA-256 of what GET answers, None for folders."""
        tree = {}
        for name, (is_collection, _) in self.walk().items():
            if name:
                tree[name] = None if is_collection else hashlib.sha256(self.get(name).body).hexdigest()
        return tree

    def etags(self):
        return {name: etag for name, (_, etag) in self.walk().items()}
