import { FakeClock } from './fake-clock.ts'

/** A clock whose wall time can be set, as an operator or a time server does; intervals do not notice. */
export class SteppingClock extends FakeClock {
  #skewMs = 0

  override time(): number {
    return super.time() + this.#skewMs
  }

  step(ms: number): void {
    this.#skewMs += ms
  }
}
