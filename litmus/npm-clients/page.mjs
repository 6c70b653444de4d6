// As much of a Nextcloud page as `@nextcloud/files` looks at: who is logged in, and what the server wrote into the page.

import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { JSDOM } from 'jsdom'

import { url } from './nest.mjs'

// This package has its modules where bundlers look for them, and Node does not.
const bundled = pathToFileURL(createRequire(import.meta.url).resolve('cancelable-promise').replace('umd/CancelablePromise.js', 'esm/CancelablePromise.mjs'))
const hook = `export const resolve = (name, context, next) => name === 'cancelable-promise' ? { url: '${bundled}', shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

/** Makes the globals of a page at `url`; `user` of `null` is nobody, `states` are the values by application and key. */
export function openPage(user, states = {}) {
	const who = user === null ? '' : ` data-user="${user}" data-user-displayname="${user}"`
	const inputs = Object.entries(states).map(([key, value]) => `<input type="hidden" id="initial-state-${key}" value="${btoa(JSON.stringify(value))}">`)
	const { window } = new JSDOM(`<!doctype html><html><head${who}></head><body>${inputs.join('')}</body></html>`, { url: `${url}/` })
	window._oc_webroot = ''
	for (const name of ['window', 'document', 'location', 'localStorage', 'sessionStorage']) {
		Object.defineProperty(globalThis, name, { value: name === 'window' ? window : window[name], configurable: true, writable: true })
	}
}
