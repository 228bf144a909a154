import type { NodeTransport } from '../../src/index.ts'
import { openTransport } from '../../src/index.ts'
import { exchange, RecordingOwner, type Exchange } from './serve.ts'

export interface Opened extends Exchange {
  readonly transport: NodeTransport
  readonly owner: RecordingOwner
}

/** Opens a transport on an exchange of its own. */
export async function open(
  asked?: Parameters<typeof exchange>[0],
  prepare = (_each: Exchange): void => {},
): Promise<Opened> {
  const each = await exchange(asked)
  prepare(each)
  const transport = openTransport(each.request, each.response)
  const owner = new RecordingOwner()
  transport.attach(owner)
  return { ...each, transport, owner }
}
