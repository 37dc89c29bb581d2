// What Uppy's plugins expect of a browser and Node does not have: XMLHttpRequest, and tus-js-client as browsers get it.
import { register } from 'node:module'

const plainFetch = globalThis.fetch

globalThis.XMLHttpRequest = class XMLHttpRequest {
  upload = {}
  status = 0
  statusText = ''
  responseText = ''
  readyState = 0
  #headers = {}
  #aborting = new AbortController()
  #response = null

  open(method, url) {
    Object.assign(this, { method, url, readyState: 1 })
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value
  }

  getResponseHeader(name) {
    return this.#response?.headers.get(name) ?? null
  }

  abort() {
    this.#aborting.abort()
  }

  async send(body = null) {
    const request = { method: this.method, headers: this.#headers, body, signal: this.#aborting.signal }
    try {
      this.#response = await plainFetch(this.url, request)
      this.responseText = await this.#response.text()
    } catch (error) {
      this.readyState = 4
      if (error.name !== 'AbortError') this.onerror?.(error)
      return
    }
    const size = body?.size ?? 0
    this.upload.onprogress?.({ lengthComputable: true, loaded: size, total: size })
    Object.assign(this, { readyState: 4, status: this.#response.status, statusText: this.#response.statusText })
    this.onload?.()
  }
}

// Bundlers for browsers follow the field "browser" of package.json; Node does not.
const hook = `export const resolve = (name, context, next) =>
  next(name === 'tus-js-client' ? 'tus-js-client/lib.es5/browser/index.js' : name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
