// What the scripts of this folder share: the account from the environment, counted checks, requests of our own.

import assert from 'node:assert/strict'

const { NEST_URL: url, NEST_LOGIN: login, NEST_PASSWORD: password, NEST_OTHER: other } = process.env
const ownFetch = globalThis.fetch

export { assert, url, login, password, other }

/** Counts `block` as one check; the runner reads a line of JSON for each. */
export async function check(name, block) {
	let error = null
	try {
		await block()
	} catch (thrown) {
		const body = thrown?.body && typeof thrown.body === 'string' ? ` ${thrown.body.slice(0, 300)}` : ''
		error = `${thrown?.stack ?? JSON.stringify(thrown)}${thrown?.status ? ` (${thrown.status})` : ''}${body}`
	}
	console.log(`CHECK ${JSON.stringify({ name, error })}`)
}

/** A request without any of the clients. */
export async function ask(method, path, { body, headers = {}, as = login } = {}) {
	const authorization = `Basic ${Buffer.from(`${as}:${password}`).toString('base64')}`
	const answer = await ownFetch(new URL(path, url), { method, body, headers: { authorization, ...headers }, redirect: 'manual' })
	return { status: answer.status, text: await answer.text(), etag: answer.headers.get('etag') }
}

/** The value of a property in the first response, as XML. */
export async function property(path, name, namespace = 'DAV:') {
	const body = `<propfind xmlns="DAV:"><prop><p:${name} xmlns:p="${namespace}"/></prop></propfind>`
	const { text } = await ask('PROPFIND', path, { body, headers: { depth: '0' } })
	return text.match(new RegExp(`<[a-z0-9]+:${name}[ >][^]*</[a-z0-9]+:${name}>`))?.[0] ?? ''
}

const lines = (...all) => all.map((line) => `${line}\r\n`).join('')

export const event = (uid, title, start = '20270310T100000Z', ...more) => lines(
	'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//nichoir//clients//EN', 'BEGIN:VEVENT', `UID:${uid}`, 'DTSTAMP:20270101T000000Z',
	`DTSTART:${start}`, 'DURATION:PT1H', `SUMMARY:${title}`, ...more, 'END:VEVENT', 'END:VCALENDAR',
)

export const task = (uid, title, ...more) => lines(
	'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//nichoir//clients//EN', 'BEGIN:VTODO', `UID:${uid}`, 'DTSTAMP:20270101T000000Z',
	`SUMMARY:${title}`, ...more, 'END:VTODO', 'END:VCALENDAR',
)

export const card = (uid, name, ...more) => lines('BEGIN:VCARD', 'VERSION:3.0', `UID:${uid}`, `FN:${name}`, `N:${name};;;;`, ...more, 'END:VCARD')
