// Serves streams on Bun or on Deno, as one would there. A test makes sources of streams and drives them by `POST /control/…`.
import { createSession, fetchHandler } from '@millrace/server'
import {
  driveHub,
  driveSessions,
  memoryHub,
  patientLimits,
  type DrivenStreams,
} from '../../../packages/server/test/support/driven-streams.ts'

interface Source extends DrivenStreams {
  handle(request: Request, host: unknown): Response | Promise<Response>
}

type Handler = (request: Request, host: unknown) => Promise<Response>

/** The parts of both platforms that are used here. */
interface Platform {
  readonly Bun?: {
    serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Handler }): { readonly port: number }
  }
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen(address: { port: number }): void },
      handler: Handler,
    ): void
  }
}

/** After so much silence Bun closes a connection. Seconds; the first time at which it looks is four seconds later. */
const IDLE_SECONDS = 1

const sources: Source[] = []

const serve: Handler = async (request, host) => {
  const [, index = '', what, kind] = new URL(request.url).pathname.split('/')
  if (index === 'new') return Response.json(sources.push(kind === 'hub' ? hubSource() : sessionSource()) - 1)
  const source = sources[Number(index)]
  if (!source) return new Response('no such source\n', { status: 404 })
  if (what === 'events') return source.handle(request, host)
  if (what === 'events-that-bun-may-close') return source.handle(request, undefined)
  if (what === 'other') return new Response('not a stream\n')
  if (what === 'publish')
    await Promise.all(((await request.json()) as string[]).map(async (data) => source.publish(data)))
  else if (what === 'end') await source.endStreams()
  else if (what === 'close') await source.close()
  return Response.json(source.openCount())
}

const { Bun, Deno } = globalThis as Platform
if (Bun) tell(Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: IDLE_SECONDS, fetch: serve }))
else Deno?.serve({ port: 0, hostname: '127.0.0.1', onListen: tell }, serve)

function tell({ port }: { readonly port: number }): void {
  process.stdout.write(`${port}\n`)
}

function hubSource(): Source {
  const hub = memoryHub()
  return { ...driveHub(hub), handle: fetchHandler(hub) }
}

function sessionSource(): Source {
  const driven = driveSessions()
  return {
    ...driven,
    handle(request, host) {
      const { session, response } = createSession(request, { ...patientLimits, host })
      void driven.add(session)
      return response
    },
  }
}
