// Upload files with the page's own uploader: node page-uploader.mjs '{"app", "api", "files", "token", "keys", "meta"}'
// "app" is the folder of the page's modules; "keys" are those of earlier runs, which are gone on with.
// Prints {"uploads": [{"image", "refusal", "requests"}, …]} in the order of the files, three of which are under way at once.
import './browser.mjs'
import { createHash } from 'node:crypto'
import fs from 'node:fs'

const { app, api, files, token, keys = null, meta = {} } = JSON.parse(process.argv[2])
const { begin, carry, goOn } = await import(`${app}/upload/protocol.js`)
const { request } = await import(`${app}/upload/request.js`)

async function send(path, index) {
  const file = await fs.openAsBlob(path)
  const digest = createHash('sha256').update(fs.readFileSync(path)).digest('hex')
  const described = { name: 'tram.jpg', type: 'image/jpeg', size: file.size, digest, galleryId: null, onDuplicate: null, ...meta }
  const key = keys === null ? crypto.randomUUID() : keys[index]
  const requests = []
  const io = {
    send: async (asked, body) => {
      const url = new URL(asked.address ?? `${api}${asked.path}`, api)
      for (const [name, value] of Object.entries(asked.query)) if (value !== null) url.searchParams.set(name, value)
      const answer = await request(asked.method, url.href, { ...asked.headers, Authorization: `Bearer ${token}` }, body)
      requests.push([asked.method, answer.status, body?.size ?? 0])
      return answer
    },
    pause: () => new Promise((resolve) => setTimeout(resolve, 10)),
    chance: () => 0,
    moved: () => {},
    tries: 200,
  }
  const outcome = await carry((keys === null ? begin : goOn)(key, described), file, io)
  return { image: outcome.image?.id ?? null, refusal: outcome.refusal?.code ?? null, requests }
}

const uploads = []
let next = 0
async function work() {
  for (let at = next++; at < files.length; at = next++) uploads[at] = await send(files[at], at)
}
await Promise.all([work(), work(), work()])
console.log(JSON.stringify({ uploads }))
