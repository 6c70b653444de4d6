// What a person with a browser can do with public links, and what her browser must not do.

import assert from 'node:assert/strict'
import { readFile, readdir, writeFile, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import puppeteer from 'puppeteer-core'

const { NEST_URL: url, NEST_LOGIN: login, NEST_PASSWORD: password, NEST_BROWSER: executablePath, NEST_WORK: work, NEST_SHOTS: shots } = process.env
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const LINK_PASSWORD = 'Très-secret-7'
const HOSTILE = '<script>alert(1)<\'"&.txt'

/** Counts `block` as one check; the runner reads a line of JSON for each. */
async function check(name, block) {
	let error = null
	try {
		await block()
	} catch (thrown) {
		error = thrown?.stack ?? String(thrown)
	}
	console.log(`CHECK ${JSON.stringify({ name, error })}`)
}

const authorization = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`

async function ask(method, path, body, headers = {}) {
	const answer = await fetch(new URL(path, url), { method, body, headers: { authorization, ...headers }, redirect: 'manual' })
	return { status: answer.status, text: await answer.text() }
}

const files = (path) => `/remote.php/dav/files/${login}/${path.split('/').map(encodeURIComponent).join('/')}`

async function link(path, fields = {}) {
	const form = new URLSearchParams({ path, shareType: '3', ...fields })
	const { text } = await ask('POST', '/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json', form, { 'ocs-apirequest': 'true' })
	const { data } = JSON.parse(text).ocs
	assert.ok(data.token, text)
	return data
}

/** A picture that a browser decodes: one green pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

for (const folder of ['docs', 'docs/sub', 'drop']) {
	assert.equal((await ask('MKCOL', files(folder))).status, 201)
}
for (const [path, body] of [
	['docs/a.txt', 'hello\n'],
	['docs/sub/b.txt', 'below'],
	[`docs/${HOSTILE}`, '<img src=x onerror="document.title=1">'],
	['docs/dot.png', PNG],
	['drop/here-already.txt', 'mine'],
]) {
	assert.equal((await ask('PUT', files(path), body)).status, 201)
}

const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en'] })

/** A page of a browser that knows nothing yet, without JavaScript unless told, with what went wrong in it. */
async function open({ language = 'en', script = false } = {}) {
	const context = await browser.createBrowserContext({ downloadBehavior: { policy: 'allow', downloadPath: work } })
	const page = await context.newPage()
	const troubles = []
	await page.setJavaScriptEnabled(script)
	await page.setExtraHTTPHeaders({ 'accept-language': language })
	page.on('dialog', (dialog) => { troubles.push(`dialog ${dialog.message()}`); dialog.dismiss() })
	page.on('console', (message) => { if (['error', 'warn'].includes(message.type()) && !/status of 4\d\d/.test(message.text())) troubles.push(message.text()) })
	page.on('pageerror', (error) => troubles.push(String(error)))
	page.on('request', (request) => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) troubles.push(`asked ${request.url()}`) })
	return { page, troubles, close: () => context.close() }
}

let shot = 0
async function see(page, name) {
	if (!shots) return
	await mkdir(shots, { recursive: true })
	await page.screenshot({ path: `${shots}/${String(++shot).padStart(2, '0')}-${name}.png`, fullPage: true })
}

const text = (page) => page.$eval('body', (body) => body.innerText)
const click = (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)])

/** Waits for a download of that name, as far as it is whole. */
async function downloaded(name) {
	for (let left = 100; left > 0; left--) {
		if ((await readdir(work)).includes(name)) return readFile(`${work}/${name}`)
		await new Promise((resolve) => setTimeout(resolve, 100))
	}
	assert.fail(`no ${name} among ${await readdir(work)}`)
}

const locked = await link('/docs', { password: LINK_PASSWORD, note: 'Please read.\nThank you.' })
const editable = await link('/docs', { permissions: '15' })
const drop = await link('/drop', { permissions: '4' })
const hiding = await link('/docs')
await ask('PUT', `/ocs/v2.php/apps/files_sharing/api/v1/shares/${hiding.id}`, new URLSearchParams({ hideDownload: 'true' }), { 'ocs-apirequest': 'true' })
const single = await link('/docs/a.txt')

await check('a password is typed, wrong and then right', async () => {
	const { page, troubles, close } = await open()
	await page.goto(locked.url)
	assert.match(page.url(), /\/authenticate\/showshare$/)
	assert.ok(!(await text(page)).includes('docs'))
	await see(page, 'password')
	await page.type('#password', 'wrong')
	await click(page, 'button')
	assert.equal(await page.$eval('[role=alert]', (it) => it.innerText), 'Wrong password.')
	await see(page, 'password-wrong')
	await page.type('#password', LINK_PASSWORD)
	await click(page, 'button')
	assert.equal(page.url(), locked.url)
	const shown = await text(page)
	for (const wanted of ['docs', 'a.txt', 'sub/', HOSTILE, 'Please read.\nThank you.', 'Shared by']) assert.ok(shown.includes(wanted), `${wanted} in ${shown}`)
	await see(page, 'folder')
	const cookies = await page.cookies()
	assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })), [{ httpOnly: true, sameSite: 'Lax' }])
	await click(page, 'tbody a[href*="sub"]')
	assert.ok((await text(page)).includes('b.txt'))
	await click(page, 'nav a')
	await click(page, 'tbody th a[href*="a.txt"]')
	assert.ok((await text(page)).includes('hello'))
	await see(page, 'text')
	assert.deepEqual(troubles, [])
	await close()
})

await check('a file and the whole folder are downloaded behind a password', async () => {
	const { page, troubles, close } = await open()
	await page.goto(locked.url)
	await page.type('#password', LINK_PASSWORD)
	await click(page, 'button')
	await page.click('tbody td a[href$="/a.txt"]')
	assert.equal(String(await downloaded('a.txt')), 'hello\n')
	await page.click('a.button')
	const zip = await downloaded('docs.zip')
	assert.equal(zip.subarray(0, 4).toString('latin1'), 'PK\u0003\u0004')
	assert.ok(zip.includes('docs/sub/b.txt'))
	assert.deepEqual(troubles, [])
	await close()
})

await check('hostile names and contents stay text', async () => {
	const { page, troubles, close } = await open({ script: true })
	await page.goto(hiding.url)
	await click(page, 'tbody a[href*="script"]')
	assert.ok((await text(page)).includes('<img src=x onerror='))
	assert.notEqual(await page.title(), '1')
	assert.equal(await page.$$eval('script, img', (all) => all.length), 0)
	assert.ok(!(await text(page)).includes('Download'))
	assert.deepEqual(troubles, [])
	await close()
})

await check('a picture is shown', async () => {
	const { page, troubles, close } = await open()
	await page.goto(`${editable.url}?path=/dot.png`)
	assert.deepEqual(await page.$eval('img', (img) => [img.complete && img.naturalWidth > 0, img.alt]), [true, 'dot.png'])
	await see(page, 'picture')
	assert.deepEqual(troubles, [])
	await close()
})

await writeFile(`${work}/new file.txt`, 'from the browser')
await writeFile(`${work}/here-already.txt`, 'theirs')

await check('files are added to a folder that may be edited', async () => {
	const { page, troubles, close } = await open()
	await page.goto(`${editable.url}?path=/sub`)
	await (await page.$('input[type=file]')).uploadFile(`${work}/new file.txt`, `${work}/a.txt`)
	await click(page, 'button')
	assert.equal(await page.$eval('[role=status]', (it) => it.innerText), '2 files were received. Thank you.')
	await see(page, 'received')
	assert.equal((await ask('GET', files('docs/sub/new file.txt'))).text, 'from the browser')
	assert.deepEqual(troubles, [])
	await close()
})

await check('files are handed in unseen, in French, under a name', async () => {
	const { page, troubles, close } = await open({ language: 'fr-FR,fr;q=0.9' })
	await page.goto(drop.url)
	assert.equal(await page.$eval('html', (html) => html.lang), 'fr')
	assert.ok(!(await text(page)).includes('here-already'))
	await see(page, 'drop')
	await (await page.$('input[type=file]')).uploadFile(`${work}/here-already.txt`)
	await click(page, 'button')
	assert.equal(await page.$eval('[role=status]', (it) => it.innerText), 'Un fichier a été reçu. Merci.')
	await page.type('#nickname', 'Zoé')
	await (await page.$('input[type=file]')).uploadFile(`${work}/here-already.txt`)
	await click(page, 'button')
	await see(page, 'drop-received')
	assert.equal((await ask('GET', files('drop/here-already.txt'))).text, 'mine')
	assert.equal((await ask('GET', files('drop/here-already (2).txt'))).text, 'theirs')
	assert.equal((await ask('GET', files('drop/Zoé/here-already.txt'))).text, 'theirs')
	assert.deepEqual(troubles, [])
	await close()
})

await check('everything is reached by keyboard', async () => {
	const { page, close } = await open({ script: true })
	await page.goto(editable.url)
	const reached = new Set()
	for (let step = 0; step < 40; step++) {
		await page.keyboard.press('Tab')
		const { name, isSeen } = await page.evaluate(() => {
			const it = document.activeElement
			const style = getComputedStyle(it)
			return { name: it === document.body ? null : it.id || it.getAttribute('href') || it.innerText, isSeen: style.outlineStyle !== 'none' }
		})
		if (!name || reached.has(name)) break
		assert.ok(isSeen || name === 'files', `${name} shows no focus`)
		reached.add(name)
	}
	const wanted = await page.$$eval('a, input, button', (all) => all.map((it) => it.id || it.getAttribute('href') || it.innerText))
	assert.deepEqual(wanted.filter((name) => !reached.has(name)), [])
	await close()
})

const axed = {
	'the password': [`${locked.url}/authenticate/showshare`],
	'a folder': [editable.url],
	'a folder below': [`${editable.url}?path=/sub&received=1`],
	'a text': [single.url],
	'a picture': [`${editable.url}?path=/dot.png`],
	'handing in': [drop.url],
	'a link that is none': [`${url}/s/nosuchtoken1234`],
}
for (const [name, [address]] of Object.entries(axed)) {
	for (const language of ['en', 'fr']) {
		await check(`axe finds nothing wrong with ${name} (${language})`, async () => {
			const { page, troubles, close } = await open({ language, script: true })
			for (const width of [1200, 360]) {
				await page.setViewport({ width, height: 800 })
				await page.goto(address)
				await page.evaluate(axe)
				const { violations } = await page.evaluate(() => globalThis.axe.run())
				assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(' ')}`), [])
				assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing runs out of the page')
			}
			if (language === 'fr') await see(page, name.replaceAll(' ', '-'))
			assert.deepEqual(troubles, [])
			await close()
		})
	}
}

await browser.close()
