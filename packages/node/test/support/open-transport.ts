import { openTransport, type NodeTransport } from '../../src/index.ts'
import { exchange, RecordingOwner, type Exchange, type OwnExchange } from './serve.ts'

export interface Opened extends Exchange {
  readonly transport: NodeTransport
  readonly owner: RecordingOwner
}

export interface OwnOpened extends Opened {
  readonly server: OwnExchange['server']
}

/** Opens a transport on an exchange of its own. */
export async function open(
  asked?: Parameters<typeof exchange>[0],
  prepare: (each: Exchange) => void = () => {},
  body = '',
): Promise<OwnOpened> {
  const each = await exchange(asked, body)
  prepare(each)
  const transport = openTransport(each.request, each.response)
  const owner = new RecordingOwner()
  transport.attach(owner)
  return { ...each, transport, owner }
}
