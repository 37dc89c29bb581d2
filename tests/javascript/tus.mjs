// Upload files with tus-js-client: node tus.mjs '{"endpoint", "files", …options of the client}'
// Prints {"uploads": [{"url", "error", "status", "requests"}, …]} in the order of the files, four of which are under way
// at once. "urlFile" remembers uploads for a later run; "stream" reads files as streams of an unknown length; with
// "terminateAfter" bytes sent an upload is given up.
import fs from 'node:fs'
import tus from 'tus-js-client'

const { files, urlFile, stream, terminateAfter, ...options } = JSON.parse(process.argv[2])

function source(file) {
  // Only of a stream that comes from a file does the client look up the length.
  return stream ? fs.createReadStream(file).map((chunk) => chunk) : fs.createReadStream(file)
}

function send(file) {
  const requests = []
  return new Promise((resolve) => {
    const upload = new tus.Upload(source(file), {
      retryDelays: Array(200).fill(10),
      ...(stream ? { uploadLengthDeferred: true } : {}),
      ...(urlFile ? { urlStorage: new tus.FileUrlStorage(urlFile) } : {}),
      ...options,
      onAfterResponse: (request, response) => {
        requests.push([request.getMethod(), response.getStatus()])
      },
      onProgress: async (sent) => {
        if (terminateAfter === undefined || sent < terminateAfter) return
        await upload.abort(true)
        resolve({ url: upload.url, requests })
      },
      onSuccess: () => resolve({ url: upload.url, requests }),
      onError: (error) => {
        const status = error.originalResponse ? error.originalResponse.getStatus() : null
        resolve({ error: String(error), status, requests })
      },
    })
    start(upload)
  })
}

async function start(upload) {
  const previous = urlFile ? await upload.findPreviousUploads() : []
  if (previous.length) upload.resumeFromPreviousUpload(previous[0])
  upload.start()
}

const uploads = []
let next = 0
async function work() {
  for (let at = next++; at < files.length; at = next++) uploads[at] = await send(files[at])
}
await Promise.all([work(), work(), work(), work()])
console.log(JSON.stringify({ uploads }))
