// Compiled with the tests and never run: an option that is undefined is one that is left out.
import { drip, expectEvents, head, reply, send, startFaultServer, type Script } from '@millrace/testing'

export async function undefinedIsLeftOut(scripts: Script[] | undefined, text: string | undefined): Promise<void> {
  await startFaultServer({ scripts, otherwise: undefined, upstream: text, isStream: undefined, pages: undefined })
  await startFaultServer({ port: undefined })
  head({ status: undefined, headers: undefined, framing: undefined })
  send({ id: text, type: text, topic: text, retryMs: undefined, data: undefined })
  drip('a', { sizeBytes: undefined, everyMs: undefined })
  reply(503, { headers: undefined, body: text, retryAfterSeconds: undefined, retryAfterForm: undefined })
  const options = { types: undefined, withinMs: undefined, quietMs: undefined, ignore: undefined }
  await expectEvents('http://localhost', [{ type: text, id: text, topic: text }], options)
  // @ts-expect-error no such option
  await startFaultServer({ script: [] })
}
