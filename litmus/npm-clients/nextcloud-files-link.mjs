// @nextcloud/files on the page of a public link: nobody is logged in, the token is the root.

import { ask, assert, check, login, password, url } from './nest.mjs'
import { openPage } from './page.mjs'

const place = (path) => `/remote.php/dav/files/${login}${path}`
await ask('MKCOL', place('/public'))
await ask('PUT', place('/public/read%20me.txt'), { body: 'for all' })
await ask('MKCOL', place('/public/below'))

async function link(fields) {
	const headers = { 'OCS-APIRequest': 'true', Accept: 'application/json', 'Content-Type': 'application/json' }
	const { text } = await ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares', { headers, body: JSON.stringify({ path: '/public', shareType: 3, ...fields }) })
	return JSON.parse(text).ocs.data
}

const open = await link({})
openPage(null, { 'files_sharing-isPublic': true, 'files_sharing-sharingToken': open.token })
const dav = await import('@nextcloud/files/dav')
const { File, Folder, Permission } = await import('@nextcloud/files')
const remote = dav.getRemoteURL()

const list = async (client, root) => (await client.getDirectoryContents(`${root}/`, { details: true, data: dav.getDefaultPropfind() })).data.map((it) => dav.resultToNode(it, root))

await check('the page of a link knows its addresses', async () => {
	assert.equal(remote, `${url}/public.php/dav`)
	assert.equal(dav.getRootPath(), `/files/${open.token}`)
})
await check('a link to read is listed with the right to read, and its files are fetched', async () => {
	const client = dav.getClient()
	const nodes = await list(client, dav.getRootPath())
	const [below, file] = nodes.sort((one, two) => (one.basename < two.basename ? -1 : 1))
	assert.ok(below instanceof Folder && file instanceof File)
	assert.deepEqual([file.path, file.size, file.mime], ['/read me.txt', 7, 'text/plain'])
	assert.equal(file.permissions & ~Permission.SHARE, Permission.READ)
	assert.equal(below.permissions & ~Permission.SHARE, Permission.READ)
	assert.equal(await client.getFileContents(`${dav.getRootPath()}/read me.txt`, { format: 'text' }), 'for all')
	await assert.rejects(client.putFileContents(`${dav.getRootPath()}/read me.txt`, 'no'), (error) => error.status === 403)
	assert.equal((await ask('GET', place('/public/read%20me.txt'))).text, 'for all')
})
await check('a link to edit takes files, folders, moves and deletions', async () => {
	const { token, id } = await link({ permissions: 15 })
	const root = `/files/${token}`
	const client = dav.getClient(remote)
	const [file] = (await list(client, root)).filter((it) => it instanceof File)
	assert.equal(file.permissions & ~Permission.SHARE, Permission.READ | Permission.UPDATE | Permission.DELETE)
	await client.createDirectory(`${root}/new`)
	await client.putFileContents(`${root}/new/a.txt`, 'by a stranger')
	await client.moveFile(`${root}/new/a.txt`, `${root}/b.txt`)
	await client.deleteFile(`${root}/new`)
	assert.equal((await ask('GET', place('/public/b.txt'))).text, 'by a stranger')
	assert.equal((await ask('GET', place('/public/new/'))).status, 404)
	await ask('DELETE', `/ocs/v2.php/apps/files_sharing/api/v1/shares/${id}`, { headers: { 'OCS-APIRequest': 'true' } })
	await assert.rejects(list(client, root), (error) => error.status === 404)
})
await check('a link with a password asks for it', async () => {
	const { token } = await link({ password })
	const root = `/files/${token}`
	await assert.rejects(list(dav.getClient(remote), root), (error) => error.status === 401)
	const wrong = dav.getClient(remote, { Authorization: `Basic ${Buffer.from('anonymous:wrong').toString('base64')}` })
	await assert.rejects(list(wrong, root), (error) => error.status === 401)
	const right = dav.getClient(remote, { Authorization: `Basic ${Buffer.from(`anonymous:${password}`).toString('base64')}` })
	assert.deepEqual((await list(right, root)).map((it) => it.basename).sort(), ['b.txt', 'below', 'read me.txt'])
})
process.exit(0)
