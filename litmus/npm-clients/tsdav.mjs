// tsdav, from a bare address: calendars, tasks, contacts; etags; both kinds of synchronising.

import { DAVClient } from 'tsdav'

import { ask, assert, card, check, event, login, password, property, task, url } from './nest.mjs'

const client = (accountType) => new DAVClient({
	serverUrl: url, credentials: { username: login, password }, authMethod: 'Basic', defaultAccountType: accountType,
})
const home = `${url}/remote.php/dav/calendars/${login}/`
const books = `${url}/remote.php/dav/addressbooks/users/${login}/`
const calendars = client('caldav')
const contacts = client('carddav')
let calendar, tasks, objects

await check('discovery from the bare host finds principal and home', async () => {
	await calendars.login()
	assert.ok(calendars.account.principalUrl.endsWith(`/remote.php/dav/principals/users/${login}/`))
	assert.equal(calendars.account.homeUrl, home)
})
await check('calendars are made with a name, a colour and their types of component', async () => {
	const namespaced = { 'c:supported-calendar-component-set': { 'c:comp': { _attributes: { name: 'VTODO' } } } }
	await calendars.makeCalendar({ url: `${home}events/`, props: { displayname: 'Events ü', 'ca:calendar-color': '#aabbcc' } })
	await calendars.makeCalendar({ url: `${home}tasks/`, props: { displayname: 'Tasks', ...namespaced } })
	const found = await calendars.fetchCalendars()
	calendar = found.find((one) => one.url.endsWith('/events/'))
	tasks = found.find((one) => one.url.endsWith('/tasks/'))
	assert.equal(calendar.displayName, 'Events ü')
	assert.deepEqual(tasks.components, ['VTODO'])
	assert.ok(calendar.ctag && calendar.syncToken, 'there is something to poll')
	assert.ok(calendar.reports.includes('syncCollection') && calendar.reports.includes('calendarQuery'))
	assert.match(await property(`${home}events/`, 'displayname'), /Events ü/)
})
await check('events and tasks are created and are on the server as they were sent', async () => {
	for (const [name, start] of [['one', '20270310T100000Z'], ['two', '20270311T100000Z'], ['far', '20280101T100000Z']]) {
		const answer = await calendars.createCalendarObject({ calendar, filename: `${name}.ics`, iCalString: event(name, `Event ${name}`, start) })
		assert.equal(answer.status, 201)
		assert.equal((await ask('GET', `${calendar.url}${name}.ics`)).text, event(name, `Event ${name}`, start))
	}
	assert.equal((await calendars.createCalendarObject({ calendar: tasks, filename: 't.ics', iCalString: task('t', 'Task') })).status, 201)
	const again = await calendars.createCalendarObject({ calendar, filename: 'one.ics', iCalString: event('one', 'Again') })
	assert.equal(again.status, 412, 'the name is taken')
	const wrong = await calendars.createCalendarObject({ calendar: tasks, filename: 'e.ics', iCalString: event('e', 'No') })
	assert.equal(wrong.status, 403, 'no events among tasks')
})
await check('a query by time range and a multiget fetch what they should', async () => {
	const timeRange = { start: '2027-03-01T00:00:00.000Z', end: '2027-04-01T00:00:00.000Z' }
	objects = await calendars.fetchCalendarObjects({ calendar, timeRange })
	assert.deepEqual(objects.map((one) => new URL(one.url).pathname.split('/').pop()).sort(), ['one.ics', 'two.ics'])
	const all = await calendars.fetchCalendarObjects({ calendar, useMultiGet: true })
	assert.equal(all.length, 3)
	assert.ok(all.every((one) => one.data.startsWith('BEGIN:VCALENDAR') && one.etag))
	const expanded = await calendars.fetchCalendarObjects({ calendar, timeRange, expand: true })
	assert.equal(expanded.length, 2)
})
await check('updates carry etags, and stale ones are refused', async () => {
	const one = objects.find((it) => it.url.endsWith('/one.ics'))
	const fresh = await calendars.updateCalendarObject({ calendarObject: { ...one, data: event('one', 'Changed') } })
	assert.equal(fresh.status, 204)
	const stale = await calendars.updateCalendarObject({ calendarObject: { ...one, data: event('one', 'Stale') } })
	assert.equal(stale.status, 412)
	assert.match((await ask('GET', one.url)).text, /SUMMARY:Changed/)
})
await check('synchronising by token tells what was made, changed and deleted', async () => {
	const [before] = (await calendars.fetchCalendars()).filter((it) => it.url === calendar.url)
	const held = await calendars.fetchCalendarObjects({ calendar: before })
	await ask('PUT', `${calendar.url}new.ics`, { body: event('new', 'New'), headers: { 'content-type': 'text/calendar' } })
	await ask('PUT', `${calendar.url}two.ics`, { body: event('two', 'Two changed'), headers: { 'content-type': 'text/calendar' } })
	await ask('DELETE', `${calendar.url}far.ics`)
	const told = await calendars.smartCollectionSync({ collection: { ...before, objects: held, objectMultiGet: (wanted) => calendars.calendarMultiGet(wanted) }, method: 'webdav', detailedResult: true })
	const names = (list) => list.map((it) => it.url.split('/').pop()).sort()
	assert.deepEqual(names(told.objects.created), ['new.ics'])
	assert.deepEqual(names(told.objects.updated), ['two.ics'])
	assert.deepEqual(names(told.objects.deleted), ['far.ics'])
	const dirty = await calendars.isCollectionDirty({ collection: before })
	assert.ok(dirty.isDirty, 'the ctag moved')
})
await check('deletion needs the etag that there is', async () => {
	const [two] = (await calendars.fetchCalendarObjects({ calendar })).filter((it) => it.url.endsWith('/two.ics'))
	assert.equal((await calendars.deleteCalendarObject({ calendarObject: { ...two, etag: '"1"' } })).status, 412)
	assert.equal((await calendars.deleteCalendarObject({ calendarObject: two })).status, 204)
	assert.equal((await ask('GET', two.url)).status, 404)
})
await check('busy time is told', async () => {
	const told = await calendars.freeBusyQuery({ url: calendar.url, timeRange: { start: '2027-03-01T00:00:00.000Z', end: '2027-04-01T00:00:00.000Z' } })
	assert.equal(told.status, 200)
	assert.match(told.raw ?? '', /FREEBUSY[^:]*:20270310T100000Z/)
})
await check('contacts: discovery, cards, queries, etags, deletion', async () => {
	await contacts.login()
	assert.equal(contacts.account.homeUrl, books)
	const [addressBook] = (await contacts.fetchAddressBooks()).filter((it) => it.url.endsWith('/contacts/'))
	for (const name of ['eve', 'adam']) {
		assert.equal((await contacts.createVCard({ addressBook, filename: `${name}.vcf`, vCardString: card(name, name) })).status, 201)
	}
	const cards = await contacts.fetchVCards({ addressBook })
	assert.equal(cards.length, 2)
	const eve = cards.find((it) => it.url.endsWith('/eve.vcf'))
	assert.equal(eve.data.trim().replaceAll('\r\n', '\n'), card('eve', 'eve').trim().replaceAll('\r\n', '\n'))
	assert.equal((await contacts.updateVCard({ vCard: { ...eve, data: card('eve', 'Ève') } })).status, 204)
	assert.equal((await contacts.updateVCard({ vCard: { ...eve, data: card('eve', 'stale') } })).status, 412)
	assert.match((await ask('GET', eve.url)).text, /FN:Ève/)
	const adam = cards.find((it) => it.url.endsWith('/adam.vcf'))
	assert.equal((await contacts.deleteVCard({ vCard: adam })).status, 204)
	assert.equal((await ask('GET', adam.url)).status, 404)
})
await check('a calendar is deleted', async () => {
	await calendars.deleteObject({ url: tasks.url })
	assert.ok(!(await calendars.fetchCalendars()).some((it) => it.url === tasks.url))
})
