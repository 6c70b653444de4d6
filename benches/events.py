"""Events for calendars under measurement, the same that davload makes, and ways to fill a calendar with many."""

import base64
import http.client
import subprocess
import threading
import time
import urllib.parse
import urllib.request

CALDAV = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'


def event(number):
    """One event an hour from 2027 on; every tenth repeats."""
    rule = "RRULE:FREQ=WEEKLY;COUNT=10\r\n" if number % 10 == 0 else ""
    start = time.strftime("%Y%m%dT%H0000Z", time.gmtime(1_798_761_600 + number * 3600))
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//nichoir//bench//EN\r\nBEGIN:VEVENT\r\nUID:event-{number}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:{start}\r\n"
        f"DURATION:PT1H\r\nSUMMARY:Event {number}\r\n{rule}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def basic(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


def ask(method, url, user, body, media_type="application/xml; charset=utf-8"):
    """One request; returns its text and how many milliseconds it took."""
    headers = {"Content-Type": media_type, "Depth": "1", "Authorization": basic(user)}
    started = time.monotonic()
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers, method=method), timeout=900) as answer:
        text = answer.read().decode()
    return text, (time.monotonic() - started) * 1000


def make(calendar, user):
    ask("MKCALENDAR", calendar, user, f"<c:mkcalendar {CALDAV}><d:set><d:prop><d:displayname>Bench</d:displayname></d:prop></d:set></c:mkcalendar>")


def fill_one_by_one(calendar, user, count, first=None):
    """Makes the calendar and sends the events over four connections; from the number `first` on into one that is there."""
    if first is None:
        make(calendar, user)
    place, failures = urllib.parse.urlsplit(calendar), []

    def send(own):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=120)
        headers = {"Authorization": basic(user), "Content-Type": "text/calendar; charset=utf-8"}
        for number in range((first or 0) + own, count, 4):
            connection.request("PUT", f"{place.path}{number}.ics", event(number), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 201, 204):
                failures.append(answer.status)

    senders = [threading.Thread(target=send, args=(own,)) for own in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    if failures:
        raise RuntimeError(f"PUT answered {failures[:3]}")


def fill_radicale(calendar, user, count):
    """A whole calendar in one request makes the collection."""
    inner = "".join(event(number).partition("EN\r\n")[2].removesuffix("END:VCALENDAR\r\n") for number in range(count))
    ask("PUT", calendar, user, f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//nichoir//bench//EN\r\n{inner}END:VCALENDAR\r\n", "text/calendar")


def fill_xandikos(calendar, user, count, root):
    """A calendar is a git repository below `root`: one commit."""
    make(calendar, user)
    place = root / urllib.parse.urlsplit(calendar).path.strip("/")
    for number in range(count):
        (place / f"{number}.ics").write_text(event(number), newline="")
    for command in (["add", "--all"], ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "--quiet", "--message", "bench"]):
        subprocess.run(["git", *command], cwd=place, check=True)
