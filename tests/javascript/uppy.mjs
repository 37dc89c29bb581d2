// Upload one file with Uppy: node uppy.mjs '{"api", "plugin", "file", "name", "token", "meta", "options", "then", "retries"}'
// "plugin" is "AwsS3" or "Tus"; "then" is "pause" (and go on) or "cancel", after the first part or piece.
// "retries" is how often its user tries again what failed.
// Prints {"successful", "failed", "url"}.
import './browser.mjs'
import fs from 'node:fs'

const { default: Uppy } = await import('@uppy/core')
const { default: AwsS3 } = await import('@uppy/aws-s3')
const { default: Tus } = await import('@uppy/tus')

const { api, plugin, file, name, token, meta, options, then, retries = 0 } = JSON.parse(process.argv[2])
const authorization = { Authorization: `Bearer ${token}` }

// As docs/how-to/uppy.md has it.
const plain = globalThis.fetch
globalThis.fetch = (url, request = {}) =>
  String(url).startsWith(`${api}/`)
    ? plain(url, { ...request, headers: { ...request.headers, ...authorization } })
    : plain(url, request)

const uppy = new Uppy({ meta })
if (plugin === 'Tus') uppy.use(Tus, { endpoint: `${api}/uploads/resumable`, headers: authorization, ...options })
else uppy.use(AwsS3, { companionEndpoint: `${api}/uploads/uppy`, ...options })

let interrupted = false
function interrupt() {
  if (interrupted || !then) return
  interrupted = true
  if (then === 'cancel') return uppy.cancelAll()
  uppy.pauseAll()
  setImmediate(() => uppy.resumeAll())
}
uppy.on('s3-multipart:part-uploaded', interrupt)
if (plugin === 'Tus') uppy.on('upload-progress', (_, { bytesUploaded }) => bytesUploaded > 0 && interrupt())

const data = await fs.openAsBlob(file, { type: 'image/jpeg' })
uppy.addFile({ name, type: 'image/jpeg', data })
let result = await uppy.upload()
for (let left = retries; left > 0 && result?.failed.length; left--) result = await uppy.retryAll()
const { successful = [], failed = [] } = result ?? {}
console.log(
  JSON.stringify({
    successful: successful.length,
    failed: failed.map((each) => each.error),
    url: successful[0]?.uploadURL ?? null,
  }),
)
