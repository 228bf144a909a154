// Preloaded into an example: takes a free port instead of the one in the program, and prints which.
import { Server, type AddressInfo, type ListenOptions } from 'node:net'

const listen = Server.prototype.listen as (this: Server, options: ListenOptions) => Server

Server.prototype.listen = function listenAnywhere(this: Server): Server {
  this.once('listening', () => process.stdout.write(`${(this.address() as AddressInfo).port}\n`))
  return listen.call(this, { host: '127.0.0.1', port: 0 })
}
