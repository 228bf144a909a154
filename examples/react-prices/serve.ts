import { createHub, memory } from '@millrace/node'
import { build } from 'esbuild'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const hub = createHub({ backend: memory() })
const streams = hub.handler()
const page = `<!doctype html>
<meta charset="utf-8">
<title>Prices</title>
<style>body { font: 1.1rem/1.6 system-ui; margin: 2rem } th { text-align: left } td { text-align: right; min-width: 5rem }</style>
<div id="root"></div>
<script type="module">${(await bundle('page.tsx')).replaceAll('</script', String.raw`<\/script`)}</script>`

const server = createServer((request, response) => {
  if (request.url?.startsWith('/events')) return streams(request, response)
  return response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
})
server.listen(8080)

const prices = new Map([
  ['AAPL', 187.2],
  ['IBM', 164.9],
  ['MSFT', 402.1],
])
setInterval(() => {
  for (const [share, price] of prices) {
    const next = price * (1 + (Math.random() - 0.5) / 100)
    prices.set(share, next)
    void hub.publish({ topic: `stocks.${share}`, type: 'tick', data: { price: next } })
    if (Math.abs(next / price - 1) < 0.004) continue
    const text = `${share} ${next > price ? 'rises' : 'falls'} to ${next.toFixed(2)}`
    void hub.publish({ topic: 'alerts', type: 'alert', data: { text } })
  }
}, 500)

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    conditions: ['@millrace/source'],
  })
  return outputFiles[0]?.text ?? ''
}
