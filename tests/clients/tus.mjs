// Upload one file with tus-js-client: node tus.mjs '{"endpoint", "file", "metadata", …options of the client}'
// Prints {"url", "requests"}; exits with 1 and {"error", "status"} when the client gives up.
import fs from 'node:fs'
import tus from 'tus-js-client'

const { file, urlFile, ...options } = JSON.parse(process.argv[2])
const statuses = []

const upload = new tus.Upload(fs.createReadStream(file), {
  retryDelays: Array(200).fill(10),
  uploadSize: fs.statSync(file).size,
  ...(urlFile ? { urlStorage: new tus.FileUrlStorage(urlFile) } : {}),
  ...options,
  onAfterResponse: (request, response) => statuses.push([request.getMethod(), response.getStatus()]),
  onSuccess: () => console.log(JSON.stringify({ url: upload.url, requests: statuses })),
  onError: (error) => {
    const status = error.originalResponse ? error.originalResponse.getStatus() : null
    console.log(JSON.stringify({ error: String(error), status, requests: statuses }))
    process.exitCode = 1
  },
})

if (urlFile) {
  const previous = await upload.findPreviousUploads()
  if (previous.length) upload.resumeFromPreviousUpload(previous[0])
}
upload.start()
