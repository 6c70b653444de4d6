// `webdav`, the library below most web file managers: names, streams, ranges, locks, quota, searches, refusals.

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { AuthType, createClient } from 'webdav'

import { ask, assert, check, login, other, password, property, url } from './nest.mjs'

const root = `/remote.php/dav/files/${login}`
const client = createClient(url + root, { authType: AuthType.Password, username: login, password })
const stranger = createClient(`${url}/remote.php/dav/files/${other}`, { authType: AuthType.Password, username: other, password })
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex')
const place = (path) => root + path.split('/').map(encodeURIComponent).join('/')
const names = (list) => list.map((it) => it.basename).sort()
const refused = (promise, status) => assert.rejects(promise, (error) => error.status === status || assert.fail(`${error.status}: ${error.message}`))
const fileId = async (path) => (await client.stat(path, { details: true, data: '<propfind xmlns="DAV:"><prop><resourcetype/><x:fileid xmlns:x="http://owncloud.org/ns"/></prop></propfind>' })).data.props.fileid
const content = randomBytes(300_000)

await check('the server says what it is compliant with', async () => {
	const { compliance } = await client.getDAVCompliance('/')
	assert.ok(['1', '2', '3'].every((it) => compliance.includes(it)), compliance.join())
	assert.ok(!compliance.includes('sabredav-partialupdate'), 'what is not there is not advertised')
})
await check('folders are made, one by one and with their parents', async () => {
	await client.createDirectory('/made')
	await client.createDirectory('/a/b/c', { recursive: true })
	assert.equal((await client.stat('/a/b/c')).type, 'directory')
	await refused(client.createDirectory('/made'), 405)
	await refused(client.createDirectory('/nowhere/below'), 409)
	assert.equal(await client.exists('/nowhere'), false)
})
await check('content goes up as text, bytes and stream, and comes down the same', async () => {
	assert.equal(await client.putFileContents('/made/text.txt', 'Grüße\n'), true)
	assert.equal(await client.getFileContents('/made/text.txt', { format: 'text' }), 'Grüße\n')
	await client.putFileContents('/made/bytes.bin', content)
	assert.equal(digest(await client.getFileContents('/made/bytes.bin')), digest(content))
	await client.putFileContents('/made/stream.bin', Readable.from([content.subarray(0, 1000), content.subarray(1000)]))
	assert.equal(digest(Buffer.from(await (await fetch(`${url}${root}/made/stream.bin`, { headers: client.getHeaders() })).arrayBuffer())), digest(content))
	await client.putFileContents('/made/empty.txt', '')
	assert.equal((await client.stat('/made/empty.txt')).size, 0)
	assert.equal((await client.getFileContents('/made/empty.txt')).length, 0)
})
await check('stat reads size, type, time and an etag that moves with the content', async () => {
	const before = await client.stat('/made/text.txt')
	assert.deepEqual([before.type, before.size, before.mime, before.basename, before.filename], ['file', 8, 'text/plain', 'text.txt', '/made/text.txt'])
	assert.ok(Math.abs(Date.parse(before.lastmod) - Date.now()) < 120_000)
	assert.equal(`"${before.etag}"`, (await ask('HEAD', place('/made/text.txt'))).etag)
	await client.putFileContents('/made/text.txt', 'changed')
	const after = await client.stat('/made/text.txt')
	assert.notEqual(after.etag, before.etag)
	assert.equal(after.size, 7)
})
await check('stat with details has the properties of the first answer as they are', async () => {
	const { data, headers, status } = await client.stat('/made', { details: true })
	assert.equal(status, 207)
	assert.match(headers['content-type'], /xml/)
	assert.equal(data.props.displayname, 'made')
	assert.deepEqual(data.props.resourcetype, { collection: '' })
})
await check('overwrite: false keeps what is there', async () => {
	assert.equal(await client.putFileContents('/made/text.txt', 'other', { overwrite: false }), false)
	assert.equal(await client.getFileContents('/made/text.txt', { format: 'text' }), 'changed')
	assert.equal(await client.putFileContents('/made/fresh.txt', 'fresh', { overwrite: false }), true)
	await refused(client.copyFile('/made/text.txt', '/made/fresh.txt', { overwrite: false }), 412)
	await refused(client.moveFile('/made/text.txt', '/made/fresh.txt', { overwrite: false }), 412)
	assert.equal(await client.getFileContents('/made/fresh.txt', { format: 'text' }), 'fresh')
	const stream = client.createWriteStream('/made/fresh.txt', { overwrite: false })
	stream.end('streamed over')
	assert.equal((await once(stream, 'error').then(([error]) => error, (error) => error)).status, 412)
	assert.equal(await client.getFileContents('/made/fresh.txt', { format: 'text' }), 'fresh')
})
await check('a conditional upload needs the etag that there is', async () => {
	const { etag } = await client.stat('/made/fresh.txt')
	await refused(client.putFileContents('/made/fresh.txt', 'stale', { headers: { 'If-Match': '"0"' } }), 412)
	await client.putFileContents('/made/fresh.txt', 'matched', { headers: { 'If-Match': `"${etag}"` } })
	assert.equal(await client.getFileContents('/made/fresh.txt', { format: 'text' }), 'matched')
})
await check('streams write and read, whole and by ranges', async () => {
	const answer = await new Promise((resolve, reject) => {
		const stream = client.createWriteStream('/made/written.bin', {}, resolve)
		stream.on('error', reject)
		Readable.from([content]).pipe(stream)
	})
	assert.equal(answer.status, 201)
	assert.equal(digest(await buffer(client.createReadStream('/made/written.bin'))), digest(content))
	const ranges = [[{ start: 10, end: 19 }, content.subarray(10, 20)], [{ start: 299_990 }, content.subarray(299_990)], [{ start: 0, end: 999_999 }, content], [{ start: 0, end: 0 }, content.subarray(0, 1)]]
	for (const [range, wanted] of ranges) {
		let told
		assert.equal(digest(await buffer(client.createReadStream('/made/written.bin', { range, callback: (it) => { told = it } }))), digest(wanted))
		await new Promise((resolve) => setTimeout(resolve, 5))
		assert.equal(told.headers.get('content-range'), `bytes ${range.start}-${range.start + wanted.length - 1}/${content.length}`)
	}
})
await check('a range beyond the end, and a stream of what is not there, end in errors', async () => {
	const error = (stream) => once(stream, 'error').then(([it]) => it, (it) => it)
	assert.equal((await error(client.createReadStream('/made/written.bin', { range: { start: 300_000 } }))).status, 416)
	assert.equal((await error(client.createReadStream('/made/missing.bin'))).status, 404)
})
await check('an upload that is given up leaves nothing behind', async () => {
	const aborter = new AbortController()
	const endless = new Readable({ read() { setTimeout(() => this.push(Buffer.alloc(1000)), 5) } })
	const upload = client.putFileContents('/made/given-up.bin', endless, { signal: aborter.signal })
	setTimeout(() => aborter.abort(), 100)
	await assert.rejects(upload, { name: 'AbortError' })
	await new Promise((resolve) => setTimeout(resolve, 100))
	assert.equal(await client.exists('/made/given-up.bin'), false)
})
await check('listings: members, with the folder itself, with details, by glob', async () => {
	const wanted = ['bytes.bin', 'empty.txt', 'fresh.txt', 'stream.bin', 'text.txt', 'written.bin']
	assert.deepEqual(names(await client.getDirectoryContents('/made')), wanted)
	assert.deepEqual(names(await client.getDirectoryContents('/made/')), wanted)
	assert.deepEqual(names(await client.getDirectoryContents('/made', { includeSelf: true })), [...wanted, 'made'].sort())
	assert.deepEqual(names(await client.getDirectoryContents('/made', { glob: '/made/*.txt' })), ['empty.txt', 'fresh.txt', 'text.txt'])
	const { data, status } = await client.getDirectoryContents('/made', { details: true })
	assert.equal(status, 207)
	assert.ok(data.every((it) => it.props.getetag && it.etag && it.props.getlastmodified))
	assert.equal(data.find((it) => it.basename === 'bytes.bin').size, content.length)
	assert.deepEqual(await client.getDirectoryContents('/a/b/c'), [])
})
await check('a listing of the whole tree is refused by the precondition of the RFC', async () => {
	const error = await client.getDirectoryContents('/', { deep: true }).catch((thrown) => thrown)
	assert.equal(error.status, 403)
	assert.match(await error.response.text(), /propfind-finite-depth/)
})
await check('many members are listed, each once', async () => {
	await client.createDirectory('/many')
	const wanted = Array.from({ length: 240 }, (_, number) => `n ${String(number).padStart(3, '0')}.txt`)
	for (let first = 0; first < wanted.length; first += 24) {
		await Promise.all(wanted.slice(first, first + 24).map((it) => client.putFileContents(`/many/${it}`, it)))
	}
	assert.deepEqual(names(await client.getDirectoryContents('/many')), wanted)
	assert.equal(await client.getFileContents('/many/n 239.txt', { format: 'text' }), 'n 239.txt')
})
const odd = ['two  spaces.txt', '100%.txt', '%41 is not A.txt', 'a#b?c=d&e.txt', 'plus+and;semi,colon.txt', "it's (1) [2] {3}.txt", '<tag> & "quote".txt', 'Éléonore œuvre.txt', '日本語 ファイル.txt', '🐦‍⬛ nest 🪺.txt', '.hidden', 'dots...txt', '2024.10', '~tilde^caret`.txt', 'ab\u200dcd\u00adef.txt', '1e5', 'true', '0007']
for (const name of odd) {
	await check(`a file named ${JSON.stringify(name)} lives a whole life`, async () => {
		await client.putFileContents(`/a/${name}`, name)
		assert.deepEqual(names(await client.getDirectoryContents('/a')), names([{ basename: name }, { basename: 'b' }]))
		const stat = await client.stat(`/a/${name}`)
		assert.deepEqual([stat.basename, stat.filename, stat.size], [name, `/a/${name}`, Buffer.byteLength(name)])
		await client.copyFile(`/a/${name}`, `/a/b/${name}`)
		await client.moveFile(`/a/${name}`, `/a/b/c/${name}`)
		await client.createDirectory(`/a/b/folder of ${name}`)
		await client.moveFile(`/a/b/c/${name}`, `/a/b/folder of ${name}/${name}`)
		assert.equal(await client.getFileContents(`/a/b/folder of ${name}/${name}`, { format: 'text' }), name)
		assert.equal((await ask('GET', place(`/a/b/${name}`))).text, name)
		assert.equal(await client.exists(`/a/${name}`), false)
		await client.deleteFile(`/a/b/folder of ${name}`)
		await client.deleteFile(`/a/b/${name}`)
		assert.deepEqual(names(await client.getDirectoryContents('/a/b')), ['c'])
	})
}
await check('a name is the same however its accents are composed', async () => {
	await client.putFileContents('/a/cafe\u0301.txt', 'decomposed')
	assert.equal(await client.getFileContents('/a/caf\u00e9.txt', { format: 'text' }), 'decomposed')
	assert.equal(await client.putFileContents('/a/caf\u00e9.txt', 'composed', { overwrite: false }), false)
	assert.deepEqual(names(await client.getDirectoryContents('/a')), ['b', 'caf\u00e9.txt'])
	await client.deleteFile('/a/cafe\u0301.txt')
	assert.equal(await client.exists('/a/caf\u00e9.txt'), false)
})
await check('names that no client could read back are refused, and nothing is made', async () => {
	for (const name of ['back\\slash.txt', '.htaccess', 'half.part', `${'x'.repeat(256)}.txt`]) {
		await refused(client.putFileContents(`/a/${name}`, 'no'), 400)
	}
	assert.deepEqual(names(await client.getDirectoryContents('/a')), ['b'])
})
await check('a move keeps the id, a copy makes one; times stay', async () => {
	await client.putFileContents('/a/one.txt', 'one', { headers: { 'X-OC-MTime': '1700000000' } })
	const id = await fileId('/a/one.txt')
	await client.copyFile('/a/one.txt', '/a/two.txt')
	assert.notEqual(await fileId('/a/two.txt'), id)
	await client.moveFile('/a/one.txt', '/a/b/uno.txt')
	assert.equal(await fileId('/a/b/uno.txt'), id)
	assert.equal(Date.parse((await client.stat('/a/b/uno.txt')).lastmod), 1_700_000_000_000)
	await client.moveFile('/a/b/uno.txt', '/a/two.txt')
	assert.equal(await client.getFileContents('/a/two.txt', { format: 'text' }), 'one')
	assert.deepEqual(names(await client.getDirectoryContents('/a')), ['b', 'two.txt'])
})
await check('folders are copied whole or shallow, moved with all below them, never into themselves', async () => {
	await client.putFileContents('/a/b/c/deep.txt', 'deep')
	await client.copyFile('/a/b', '/whole')
	assert.equal(await client.getFileContents('/whole/c/deep.txt', { format: 'text' }), 'deep')
	await client.copyFile('/a/b', '/shallow', { shallow: true })
	assert.deepEqual(await client.getDirectoryContents('/shallow'), [])
	await client.moveFile('/whole', '/a/moved')
	assert.equal(await client.getFileContents('/a/moved/c/deep.txt', { format: 'text' }), 'deep')
	assert.equal(await client.exists('/whole'), false)
	await assert.rejects(client.moveFile('/a', '/a/b/a'), (error) => error.status >= 400 && error.status < 500)
	await refused(client.moveFile('/a/moved', '/nowhere/moved'), 409)
	assert.equal(await client.getFileContents('/a/moved/c/deep.txt', { format: 'text' }), 'deep')
})
await check('deletion takes what is below, and is a 404 the second time', async () => {
	await client.deleteFile('/a/moved')
	await refused(client.stat('/a/moved/c/deep.txt'), 404)
	await refused(client.deleteFile('/a/moved'), 404)
	await refused(client.getFileContents('/a/moved'), 404)
})
await check('a lock keeps others out until it is given back', async () => {
	const taken = await client.lock('/made/text.txt')
	assert.match(taken.token, /^(opaquelocktoken|urn:uuid):/)
	assert.match(taken.serverTimeout, /^Second-[1-9]\d*$/)
	await refused(client.putFileContents('/made/text.txt', 'without token'), 423)
	await refused(client.deleteFile('/made'), 423)
	await refused(client.lock('/made/text.txt'), 423)
	assert.equal(await client.getFileContents('/made/text.txt', { format: 'text' }), 'changed')
	await client.putFileContents('/made/text.txt', 'with token', { headers: { If: `(<${taken.token}>)` } })
	await refused(client.unlock('/made/text.txt', '<urn:uuid:00000000-0000-0000-0000-000000000000>'), 409)
	await client.unlock('/made/text.txt', `<${taken.token}>`)
	await client.putFileContents('/made/text.txt', 'free again')
	assert.equal(await client.getFileContents('/made/text.txt', { format: 'text' }), 'free again')
})
await check('a lock is refreshed by its token alone; with a body, as this library refreshes, it is a new lock and refused', async () => {
	const taken = await client.lock('/made/fresh.txt', { timeout: 'Second-60' })
	await refused(client.lock('/made/fresh.txt', { refreshToken: `(<${taken.token}>)`, timeout: 'Second-600' }), 423)
	const again = await client.customRequest('/made/fresh.txt', { method: 'LOCK', headers: { If: `(<${taken.token}>)`, Timeout: 'Second-600' } })
	assert.match(await again.text(), new RegExp(`Second-600[^]*${taken.token}|${taken.token}[^]*Second-600`))
	await client.unlock('/made/fresh.txt', `<${taken.token}>`)
	await client.putFileContents('/made/fresh.txt', 'free')
})
await check('quota tells used and free, and used grows by what is stored', async () => {
	const before = await client.getQuota()
	assert.equal(typeof before.used, 'number')
	assert.ok(typeof before.available === 'number' && before.available > 1_000_000)
	await client.putFileContents('/made/more.bin', content)
	const after = await client.getQuota({ path: '/' })
	assert.equal(after.used - before.used, content.length)
	assert.equal(before.available - after.available, content.length)
})
await check('custom requests: a dead property is set and read; favourites are reported', async () => {
	const update = '<propertyupdate xmlns="DAV:"><set><prop><n:note xmlns:n="urn:nest">Ünique &amp; &lt;b&gt;</n:note><o:favorite xmlns:o="http://owncloud.org/ns">1</o:favorite></prop></set></propertyupdate>'
	const set = await client.customRequest('/made/text.txt', { method: 'PROPPATCH', data: update, headers: { 'Content-Type': 'application/xml' } })
	assert.equal(set.status, 207)
	assert.match(await property(place('/made/text.txt'), 'note', 'urn:nest'), /Ünique &amp; &lt;b&gt;|Ünique &amp; &lt;b>/)
	const report = '<o:filter-files xmlns="DAV:" xmlns:o="http://owncloud.org/ns"><prop><o:fileid/></prop><o:filter-rules><o:favorite>1</o:favorite></o:filter-rules></o:filter-files>'
	const told = await (await client.customRequest('/', { method: 'REPORT', data: report })).text()
	assert.deepEqual([...told.matchAll(/<d:href>([^<]*)/g)].map(([, it]) => it), [place('/made/text.txt')])
})
await check('a search finds by name and says what it found', async () => {
	const dav = createClient(`${url}/remote.php/dav`, { authType: AuthType.Password, username: login, password })
	const query = `<searchrequest xmlns="DAV:"><basicsearch><select><prop><displayname/><getcontentlength/><resourcetype/></prop></select><from><scope><href>/files/${login}</href><depth>infinity</depth></scope></from><where><like><prop><displayname/></prop><literal>%TE%.txt</literal></like></where></basicsearch></searchrequest>`
	const { data } = await dav.search('/', { details: true, data: query })
	assert.deepEqual(data.results.map((it) => it.props.displayname).sort(), ['text.txt'])
	assert.equal(data.truncated, false)
})
await check('a partial update, which is not there, is said not to be supported', async () => {
	await assert.rejects(client.partialUpdateFileContents('/made/text.txt', 0, 3, 'XXXX'), /Not supported/)
	assert.equal(await client.getFileContents('/made/text.txt', { format: 'text' }), 'free again')
})
await check('wrong passwords and other members get nothing', async () => {
	const wrong = createClient(url + root, { authType: AuthType.Password, username: login, password: 'wrong' })
	await refused(wrong.getDirectoryContents('/'), 401)
	await refused(wrong.putFileContents('/wrong.txt', 'no'), 401)
	const peeping = createClient(url + root, { authType: AuthType.Password, username: other, password })
	await refused(peeping.getDirectoryContents('/made'), 404)
	await refused(peeping.getFileContents('/made/text.txt'), 404)
	await assert.rejects(peeping.putFileContents('/made/peeping.txt', 'no'), (error) => [403, 404, 409].includes(error.status))
	await assert.rejects(stranger.copyFile('/x', `/../${login}/made/peeping.txt`))
	assert.equal(await client.exists('/wrong.txt'), false)
	assert.equal(await client.exists('/made/peeping.txt'), false)
})
process.exit(0)
