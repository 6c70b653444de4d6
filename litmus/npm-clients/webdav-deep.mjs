// `webdav` listing a whole tree at once, where the setting allows it.

import { AuthType, createClient } from 'webdav'

import { ask, assert, check, login, password, url } from './nest.mjs'

const client = createClient(`${url}/remote.php/dav/files/${login}`, { authType: AuthType.Password, username: login, password })

await check('a whole tree is listed deep, by glob too, each member once', async () => {
	await client.createDirectory('/tree/x/y', { recursive: true })
	for (const path of ['/tree/1.txt', '/tree/x/2.txt', '/tree/x/y/3 %.txt', '/tree/x/y/4.bin']) {
		await client.putFileContents(path, path)
	}
	const found = await client.getDirectoryContents('/tree', { deep: true })
	assert.deepEqual(found.map((it) => it.filename).sort(), ['/tree/1.txt', '/tree/x', '/tree/x/2.txt', '/tree/x/y', '/tree/x/y/3 %.txt', '/tree/x/y/4.bin'])
	const texts = await client.getDirectoryContents('/tree', { deep: true, glob: '/tree/**/*.txt' })
	assert.deepEqual(texts.map((it) => it.filename).sort(), ['/tree/1.txt', '/tree/x/2.txt', '/tree/x/y/3 %.txt'])
	assert.equal(texts.find((it) => it.basename === '1.txt').size, 11)
})
await check('what is deleted is not in the tree any more', async () => {
	await client.deleteFile('/tree/x/y')
	const found = await client.getDirectoryContents('/tree', { deep: true })
	assert.deepEqual(found.map((it) => it.filename).sort(), ['/tree/1.txt', '/tree/x', '/tree/x/2.txt'])
	assert.equal((await ask('GET', `/remote.php/dav/files/${login}/tree/x/y/4.bin`)).status, 404)
})
process.exit(0)
