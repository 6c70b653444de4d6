// @nextcloud/cdav-library, the engine of Nextcloud's Calendar, Tasks and Contacts, in jsdom for want of a browser.

import { JSDOM } from 'jsdom'
import xpath from 'xpath'

import { ask, assert, card, check, event, login, other, password, property, task, url } from './nest.mjs'

// The page and the server share an origin, as they do in Nextcloud.
const { window } = new JSDOM('<!doctype html><html><head></head><body></body></html>', { url: `${url}/` })
// jsdom's own XPath knows no namespace-uri(); this one ends an iteration otherwise than a browser does.
window.Document.prototype.evaluate = (expression, node, resolve, ...rest) => {
	const found = xpath.evaluate(expression, node, { lookupNamespaceURI: resolve }, ...rest)
	return Object.assign(Object.create(found), { iterateNext: () => found.iterateNext() ?? null })
}
Object.defineProperty(globalThis, 'XPathResult', { value: xpath.XPathResult })
for (const name of ['window', 'document', 'DOMParser', 'XMLSerializer', 'XMLHttpRequest', 'Node', 'Document', 'Element', 'location', 'localStorage', 'sessionStorage']) {
	Object.defineProperty(globalThis, name, { value: name === 'window' ? window : window[name], configurable: true, writable: true })
}
const { default: DavClient, namespaces } = await import('@nextcloud/cdav-library')

const authorization = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`
const client = new DavClient({
	rootUrl: `${url}/remote.php/dav/`,
	defaultHeaders: { Authorization: authorization, 'X-NC-CalDAV-Webcal-Caching': 'On' },
})
const wanted = (namespace, data) => [[namespaces.DAV, 'getetag'], [namespaces.DAV, 'resourcetype'], [namespaces.DAV, 'getcontenttype'], [namespace, data]].map((name) => ({ name }))
let home, calendar, book, first

await check('connect finds principal, homes and features', async () => {
	await client.connect({ enableCalDAV: true, enableCardDAV: true })
	assert.equal(client.currentUserPrincipal.url, `/remote.php/dav/principals/users/${login}/`)
	assert.equal(client.currentUserPrincipal.userId, login)
	assert.ok(client.advertisedFeatures.includes('calendar-access') && client.advertisedFeatures.includes('addressbook'))
	home = client.calendarHomes[0]
	assert.equal(home.url, `/remote.php/dav/calendars/${login}/`)
	assert.ok(client.principalCollections.length > 0)
})
await check('a calendar is created with name, colour, types and order', async () => {
	calendar = await home.createCalendarCollection('Nest ü', '#12ab34', ['VEVENT', 'VTODO'], 7)
	assert.equal(calendar.displayname, 'Nest ü')
	assert.equal(calendar.color.toLowerCase(), '#12ab34')
	assert.deepEqual(calendar.components.slice().sort(), ['VEVENT', 'VTODO'])
	assert.equal(calendar.order, 7)
	assert.ok(calendar.isWriteable() && calendar.isReadable())
	assert.match(await property(calendar.url, 'calendar-color', 'http://apple.com/ns/ical/'), /#12ab34/i)
})
await check('the home is listed by class', async () => {
	const grouped = await home.findAllCalDAVCollectionsGrouped()
	assert.ok(grouped.calendars.some((it) => it.url === calendar.url))
	assert.equal(grouped.scheduleInboxes.length, 1)
	assert.equal(grouped.scheduleOutboxes.length, 1)
})
await check('objects are created, found by range and type, and are on the server as sent', async () => {
	const made = await calendar.createVObject(event('web-1', 'From the web'))
	assert.equal((await ask('GET', made.url)).text, event('web-1', 'From the web'))
	await calendar.createVObject(event('web-2', 'Later', '20280310T100000Z'))
	await calendar.createVObject(task('web-3', 'A task'))
	const found = await calendar.findByTypeInTimeRange('VEVENT', new Date('2027-03-01'), new Date('2027-04-01'))
	assert.equal(found.length, 1)
	assert.match(found[0].data, /UID:web-1/)
	assert.equal((await calendar.findByType('VTODO')).length, 1)
	assert.equal((await calendar.findAllVObjects()).length, 3)
	first = found[0]
})
await check('tasks are filtered as Nextcloud Tasks does it', async () => {
	const open = {
		name: [namespaces.IETF_CALDAV, 'comp-filter'], attributes: [['name', 'VCALENDAR']],
		children: [{
			name: [namespaces.IETF_CALDAV, 'comp-filter'], attributes: [['name', 'VTODO']],
			children: [{ name: [namespaces.IETF_CALDAV, 'prop-filter'], attributes: [['name', 'completed']], children: [{ name: [namespaces.IETF_CALDAV, 'is-not-defined'] }] }],
		}],
	}
	assert.equal((await calendar.calendarQuery([open])).length, 1)
})
await check('updates are guarded by etags', async () => {
	const stale = await calendar.find(first.url.split('/').pop())
	first.data = event('web-1', 'Changed')
	await first.update()
	assert.match((await ask('GET', first.url)).text, /SUMMARY:Changed/)
	stale.data = event('web-1', 'Stale')
	await assert.rejects(stale.update())
	assert.match((await ask('GET', first.url)).text, /SUMMARY:Changed/)
	await stale.fetchCompleteData(true)
	assert.match(stale.data, /SUMMARY:Changed/)
})
await check('multiget, copy and move', async () => {
	const [one] = await calendar.calendarMultiget([first.url], wanted(namespaces.IETF_CALDAV, 'calendar-data'))
	assert.match(one.data, /SUMMARY:Changed/)
	const target = await home.createCalendarCollection('Target', '#000000')
	const before = first.url
	await first.move(target)
	assert.equal((await ask('GET', before)).status, 404)
	assert.equal((await target.findAllVObjects()).length, 1)
})
await check('names and colours are changed', async () => {
	calendar.displayname = 'Renamed & <new>'
	calendar.color = '#abcdef'
	await calendar.update()
	assert.match(await property(calendar.url, 'displayname'), /Renamed &amp; &lt;new&gt;/)
})
await check('people are searched for', async () => {
	const found = await client.principalPropertySearchByDisplaynameOrEmail(other)
	assert.deepEqual(found.map((it) => it.userId), [other])
})
await check('a calendar is shared with another member, who sees and then no longer sees it', async () => {
	const principal = `principal:principals/users/${other}`
	await calendar.share(principal, true)
	const there = async () => (await ask('PROPFIND', `/remote.php/dav/calendars/${other}/`, { as: other, headers: { depth: '1' } })).text
	assert.match(await there(), new RegExp(`_shared_by_${login}/`))
	assert.equal(calendar.shares.length, 1)
	await calendar.unshare(principal)
	assert.doesNotMatch(await there(), new RegExp(`_shared_by_${login}/`))
})
await check('a calendar is published and taken back', async () => {
	await calendar.publish()
	assert.ok(calendar.publishURL, 'it has an address')
	const place = new URL(calendar.publishURL)
	assert.equal((await ask('GET', `${place.pathname}?export`)).status, 200)
	await calendar.unpublish()
	assert.equal((await ask('GET', `${place.pathname}?export`)).status, 404)
})
await check('address books and cards', async () => {
	const [books] = client.addressBookHomes
	book = await books.createAddressBookCollection('People')
	const made = await book.createVCard(card('web-eve', 'Ève', 'EMAIL:eve@example.org'))
	assert.equal((await ask('GET', made.url)).text, card('web-eve', 'Ève', 'EMAIL:eve@example.org'))
	await book.createVCard(card('web-adam', 'Adam'))
	assert.equal((await book.findAllVCards()).length, 2)
	const found = await book.findAllAndFilterBySimpleProperties(['FN', 'EMAIL'])
	assert.equal(found.length, 2)
	const [one] = await book.addressbookMultiget([made.url], wanted(namespaces.IETF_CARDDAV, 'address-data'))
	assert.match(one.data, /FN:Ève/)
	one.data = card('web-eve', 'Eve changed')
	await one.update()
	assert.match((await ask('GET', made.url)).text, /FN:Eve changed/)
	await one.delete()
	assert.equal((await ask('GET', made.url)).status, 404)
	assert.ok((await books.findAllAddressBooks()).some((it) => it.displayname === 'People'))
})
await check('objects and collections are deleted', async () => {
	const [one] = await calendar.findByType('VTODO')
	await one.delete()
	assert.equal((await ask('GET', one.url)).status, 404)
	await calendar.delete({ 'X-NC-CalDAV-No-Trashbin': '1' })
	assert.equal((await ask('PROPFIND', calendar.url, { headers: { depth: '0' } })).status, 404)
})
process.exit(0)
