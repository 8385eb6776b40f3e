import { createServer } from 'node:http'

// What any server on node:http pays: it reads the request as JSON and answers JSON of the same size, without a model.

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { id } = chunks.length === 0 ? { id: '' } : JSON.parse(Buffer.concat(chunks).toString())
    const text = JSON.stringify({
      model_name: 'flight-delays',
      model_version: '1',
      id,
      parameters: { variant: 'primary' },
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [1], data: [0.123456789] }],
    })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
server.listen(Number(process.env['PORT']), '127.0.0.1')
