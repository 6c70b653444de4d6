// @nextcloud/files, what Nextcloud's own Files page reads by: listings, rights, favourites, recent files, trash, shares.

import { ask, assert, check, login, other, password, url } from './nest.mjs'
import { openPage } from './page.mjs'

openPage(login)
const dav = await import('@nextcloud/files/dav')
const { File, Folder, Permission } = await import('@nextcloud/files')

const authorization = (who) => ({ Authorization: `Basic ${Buffer.from(`${who}:${password}`).toString('base64')}` })
const client = dav.getClient(dav.getRemoteURL(), authorization(login))
const others = dav.getClient(dav.getRemoteURL(), authorization(other))
const root = dav.getRootPath()
const place = (path, who = login) => `/remote.php/dav/files/${who}${path}`
const { READ, UPDATE, CREATE, DELETE, SHARE, ALL } = Permission

/** The members of a folder as the Files page makes them of an answer; the folder itself is apart. */
async function list(path, at = root, through = client) {
	const { data } = await through.getDirectoryContents(`${at}${path}`, { details: true, data: dav.getDefaultPropfind(), includeSelf: true })
	const nodes = data.map((it) => dav.resultToNode(it, at))
	const self = nodes.find((it) => it.path === path || it.path === `${path}/`)
	return { self, nodes: nodes.filter((it) => it !== self).sort((one, two) => (one.basename < two.basename ? -1 : 1)) }
}
const node = async (path, at = root, through = client) => dav.resultToNode((await through.stat(`${at}${path}`, { details: true, data: dav.getDefaultPropfind() })).data, at)

async function ocs(method, path, { json, as = login } = {}) {
	const headers = { 'OCS-APIRequest': 'true', Accept: 'application/json', ...(json ? { 'Content-Type': 'application/json' } : {}) }
	const { status, text } = await ask(method, `/ocs/v2.php/apps/files_sharing/api/v1/${path}`, { body: json && JSON.stringify(json), headers, as })
	assert.equal(status, 200, text)
	return JSON.parse(text).ocs.data
}

await check('the page knows its addresses', async () => {
	assert.equal(dav.getRemoteURL(), `${url}/remote.php/dav`)
	assert.equal(root, `/files/${login}`)
})
await check('the root is a folder with every right of its owner', async () => {
	const { self } = await list('/')
	assert.ok(self instanceof Folder)
	assert.equal(self.owner, login)
	assert.equal(self.permissions & (READ | CREATE | UPDATE | DELETE), READ | CREATE | UPDATE | DELETE)
	assert.equal(typeof self.fileid, 'number')
	assert.ok(self.attributes['quota-available-bytes'] > 0)
})
await check('files and folders are read with every default property', async () => {
	await client.createDirectory(`${root}/Père & fils`)
	await client.putFileContents(`${root}/Père & fils/lettre №1.md`, '# Salut', { headers: { 'X-OC-MTime': '1700000000', 'X-OC-CTime': '1600000000' } })
	await client.putFileContents(`${root}/Père & fils/2024.10`, 'a name like a number')
	const { self, nodes: [number, letter] } = await list('/Père & fils')
	assert.ok(self instanceof Folder && letter instanceof File)
	assert.deepEqual([letter.basename, letter.displayname, letter.path, letter.dirname], ['lettre №1.md', 'lettre №1.md', '/Père & fils/lettre №1.md', '/Père & fils'])
	assert.deepEqual([letter.mime, letter.size, letter.owner, letter.extension], ['text/markdown', 7, login, '.md'])
	assert.equal(letter.mtime.getTime(), 1_700_000_000_000)
	assert.equal(letter.attributes['owner-display-name'], login)
	assert.equal(letter.attributes.favorite, 0)
	assert.ok(!letter.attributes['is-encrypted'])
	assert.equal(typeof letter.attributes['has-preview'], 'boolean')
	assert.equal(letter.attributes['comments-unread'], 0)
	assert.equal(letter.attributes['mount-type'], '')
	assert.equal(number.displayname, '2024.10')
	assert.equal(self.size, 27)
	assert.equal((await ask('GET', new URL(letter.encodedSource).pathname)).text, '# Salut')
	assert.equal((await ask('HEAD', place('/P%C3%A8re%20&%20fils/lettre%20%E2%84%961.md'))).etag, `"${letter.attributes.etag}"`)
})
await check('rights are read as the letters say', async () => {
	assert.equal((await node('/Père & fils')).permissions, ALL)
	assert.equal((await node('/Père & fils/2024.10')).permissions, READ | UPDATE | DELETE | SHARE)
})
await check('names keep what a URL would take as its own', async () => {
	await client.createDirectory(`${root}/odd`)
	const names = ['100% sure.txt', 'a#b?c.txt', 'é and e\u0301.txt'.normalize('NFC'), '🪺.txt', '<&>.txt'].sort()
	for (const name of names) {
		await client.putFileContents(`${root}/odd/${name}`, name)
	}
	const { nodes } = await list('/odd')
	assert.deepEqual(nodes.map((it) => it.basename), names)
	for (const one of nodes) {
		assert.equal((await ask('GET', new URL(one.encodedSource).pathname)).text, one.basename)
	}
})
await check('a further property is registered and then asked for', async () => {
	assert.ok(dav.registerDavProperty('oc:checksums', { oc: 'http://owncloud.org/ns' }))
	assert.ok(dav.registerDavProperty('nc:trashbin-filename') && dav.registerDavProperty('nc:trashbin-original-location') && dav.registerDavProperty('nc:trashbin-deletion-time'))
	await assert.rejects(client.putFileContents(`${root}/sum.txt`, 'sum', { headers: { 'OC-Checksum': 'MD5:00000000000000000000000000000000' } }), (error) => error.status === 400)
	await client.putFileContents(`${root}/sum.txt`, 'sum', { headers: { 'OC-Checksum': 'MD5:1d623b89683f9ce4e074de1676d12416' } })
	assert.match((await node('/sum.txt')).attributes.checksums.checksum, /MD5:1d623b89683f9ce4e074de1676d12416/)
})
await check('favourites are set, found anywhere in the tree, and taken back', async () => {
	const favour = (path, value) => client.customRequest(`${root}${path}`, { method: 'PROPPATCH', data: `<?xml version="1.0"?><d:propertyupdate xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:set><d:prop><oc:favorite>${value}</oc:favorite></d:prop></d:set></d:propertyupdate>` })
	await favour('/Père & fils/lettre №1.md', 1)
	await favour('/odd', 1)
	const found = await dav.getFavoriteNodes(client)
	assert.deepEqual(found.map((it) => it.path).sort(), ['/Père & fils/lettre №1.md', '/odd'])
	assert.ok(found.every((it) => it.attributes.favorite === 1 && it.fileid > 0))
	assert.ok(found.find((it) => it.path === '/odd') instanceof Folder)
	assert.deepEqual((await dav.getFavoriteNodes(client, '/odd')).map((it) => it.path), [])
	await favour('/odd', 0)
	assert.deepEqual((await dav.getFavoriteNodes(client)).map((it) => it.path), ['/Père & fils/lettre №1.md'])
})
/** The search answers with whole paths; the page takes its own prefix away. */
async function recent(since) {
	const { data } = await client.search('/', { details: true, data: dav.getRecentSearch(since) })
	return data.results.map((it) => dav.resultToNode({ ...it, filename: it.filename.replace('/remote.php/dav', '') }))
}
await check('recent files come newest first, without folders, from the time asked for', async () => {
	const now = Math.floor(Date.now() / 1000)
	for (const [name, back] of [['older.txt', 500], ['newer.txt', 100], ['oldest.txt', 900]]) {
		await client.putFileContents(`${root}/odd/${name}`, name, { headers: { 'X-OC-MTime': String(now - back) } })
	}
	const found = (await recent(now - 1000)).map((it) => it.path).filter((it) => /old|new/.test(it))
	assert.deepEqual(found, ['/odd/newer.txt', '/odd/older.txt', '/odd/oldest.txt'])
	assert.ok(!(await recent(now - 1000)).some((it) => it instanceof Folder && it.size > 0))
	assert.deepEqual((await recent(now - 300)).map((it) => it.path).filter((it) => /old|new/.test(it)), ['/odd/newer.txt'])
	assert.ok(!(await recent(now - 1000)).some((it) => it.path.endsWith('lettre №1.md')), 'its time is long ago')
	assert.equal((await recent(now + 3600)).length, 0)
})
await check('what is deleted is listed in the trash, with where it was, and comes back', async () => {
	const id = (await node('/odd/older.txt')).fileid
	await client.deleteFile(`${root}/odd/older.txt`)
	const bin = `/trashbin/${login}/trash`
	const { nodes } = await list('/', bin)
	assert.equal(nodes.length, 1)
	assert.equal(nodes[0].attributes['trashbin-filename'], 'older.txt')
	assert.equal(nodes[0].attributes['trashbin-original-location'], 'odd/older.txt')
	assert.ok(Math.abs(nodes[0].attributes['trashbin-deletion-time'] - Date.now() / 1000) < 120)
	assert.equal(nodes[0].fileid, id)
	assert.ok(nodes[0].permissions & READ && nodes[0].permissions & DELETE)
	await client.moveFile(`${bin}/${nodes[0].basename}`, `/trashbin/${login}/restore/${nodes[0].basename}`)
	assert.equal((await node('/odd/older.txt')).fileid, id)
	await client.deleteFile(`${root}/odd/older.txt`)
	await client.deleteFile(bin)
	assert.deepEqual((await list('/', bin)).nodes, [])
	assert.equal(await client.exists(`${root}/odd/older.txt`), false)
})
for (const [title, bits, wanted] of [
	['read only', 1, READ],
	['read and change', 15, READ | CREATE | UPDATE | DELETE],
	['read and pass on', 17, READ | SHARE],
	['everything', 31, ALL],
]) {
	await check(`a folder shared with "${title}" is read with those rights, and grants them`, async () => {
		const name = `shared ${bits}`
		await client.createDirectory(`${root}/${name}`)
		await client.putFileContents(`${root}/${name}/in.txt`, 'in')
		const share = await ocs('POST', 'shares', { json: { path: `/${name}`, shareType: 0, shareWith: other, permissions: bits } })
		const theirs = `/files/${other}`
		const { self, nodes } = await list(`/${name}`, theirs, others)
		// The one who received a share may always rename it where it is shown, and leave it: N, V and D are theirs.
		assert.equal(self.permissions & ~(UPDATE | DELETE), wanted & ~(UPDATE | DELETE))
		assert.equal(self.owner, login)
		assert.equal(self.attributes['mount-type'], 'shared')
		assert.equal(nodes.length, 1)
		assert.equal(nodes[0].permissions, wanted & ~CREATE)
		assert.equal(nodes[0].owner, login)
		const may = await others.putFileContents(`${theirs}/${name}/in.txt`, 'theirs').then(() => true, (error) => (assert.equal(error.status, 403), false))
		assert.equal(may, Boolean(wanted & UPDATE))
		assert.equal(await client.getFileContents(`${root}/${name}/in.txt`, { format: 'text' }), may ? 'theirs' : 'in')
		await ocs('DELETE', `shares/${share.id}`)
		assert.equal(await others.exists(`${theirs}/${name}`), false)
	})
}
await check('favourites are of whoever set them, on a share too', async () => {
	const share = await ocs('POST', 'shares', { json: { path: '/odd', shareType: 0, shareWith: other, permissions: 1 } })
	const theirs = `/files/${other}`
	await others.customRequest(`${theirs}/odd/newer.txt`, { method: 'PROPPATCH', data: '<d:propertyupdate xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:set><d:prop><oc:favorite>1</oc:favorite></d:prop></d:set></d:propertyupdate>' })
	assert.deepEqual((await dav.getFavoriteNodes(others, '/', theirs)).map((it) => it.path), ['/odd/newer.txt'])
	assert.ok(!(await dav.getFavoriteNodes(client)).some((it) => it.path === '/odd/newer.txt'))
	await ocs('DELETE', `shares/${share.id}`)
	assert.deepEqual(await dav.getFavoriteNodes(others, '/', theirs), [])
})
await check('what belongs to another member is not there', async () => {
	await assert.rejects(list('/', `/files/${other}`), (error) => error.status === 404)
	await assert.rejects(dav.getFavoriteNodes(client, '/', `/files/${other}`), (error) => error.status === 404)
})
process.exit(0)
