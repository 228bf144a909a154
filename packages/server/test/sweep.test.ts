import { beforeEach, describe, expect, it } from 'vitest'
import { Sweep, type SweepMember } from '../src/sweep.ts'
import { FakeClock } from './support/fake-clock.ts'

let clock: FakeClock
let sweep: Sweep
let visited: string[]

function member(name: string, act: (nowMs: number) => void = () => {}): SweepMember {
  return {
    sweep(nowMs) {
      visited.push(`${name}@${nowMs}`)
      act(nowMs)
    },
  }
}

beforeEach(() => {
  clock = new FakeClock()
  sweep = new Sweep(clock, { intervalMs: 100 })
  visited = []
})

describe('Sweep', () => {
  it('visits every member once per interval, in the order they were added', () => {
    sweep.add(member('a'))
    sweep.add(member('b'))
    clock.advance(250)
    expect(visited).toEqual(['a@100', 'b@100', 'a@200', 'b@200'])
  })

  it('sweeps every second unless told otherwise', () => {
    new Sweep(clock).add(member('a'))
    clock.advance(2_999)
    expect(visited).toEqual(['a@1000', 'a@2000'])
  })

  it('uses one timer for all members, and none when the last has gone', () => {
    const members = Array.from({ length: 1_000 }, (_, index) => member(String(index)))
    expect(clock.timerCount).toBe(0)
    for (const each of members) sweep.add(each)
    expect(clock.timerCount).toBe(1)
    clock.advance(150)
    expect(clock.timerCount).toBe(1)
    for (const each of members) sweep.remove(each)
    expect(clock.timerCount).toBe(0)
    expect(sweep.size).toBe(0)
  })

  it('starts again when a member comes after it had stopped', () => {
    const first = member('first')
    sweep.add(first)
    sweep.remove(first)
    clock.advance(50)
    sweep.add(member('second'))
    clock.advance(100)
    expect(visited).toEqual(['second@150'])
  })

  it('visits a member that was added twice once', () => {
    const twice = member('twice')
    sweep.add(twice)
    sweep.add(twice)
    clock.advance(100)
    expect(visited).toEqual(['twice@100'])
  })

  it('does nothing when what is no member is removed', () => {
    sweep.add(member('a'))
    sweep.remove(member('stranger'))
    clock.advance(100)
    expect(visited).toEqual(['a@100'])
  })

  it('does not visit a member that another one removed in the same pass', () => {
    const last = member('last')
    sweep.add(member('first', () => sweep.remove(last)))
    sweep.add(member('middle'))
    sweep.add(last)
    clock.advance(100)
    expect(visited).toEqual(['first@100', 'middle@100'])
  })

  it('lets the only member remove itself', () => {
    const self = member('self', () => sweep.remove(self))
    sweep.add(self)
    clock.advance(1_000)
    expect(visited).toEqual(['self@100'])
    expect(clock.timerCount).toBe(0)
  })

  it('ends a pass although its members keep adding others', () => {
    const grow = (): void => sweep.add(member('grown', grow))
    sweep.add(member('root', grow))
    clock.advance(100)
    expect(visited).toEqual(['root@100'])
    clock.advance(100)
    expect(visited.slice(1)).toEqual(['root@200', 'grown@200'])
  })

  it('gives way after five milliseconds and goes on where it was in the next turn', () => {
    const busy = new Sweep({
      now: () => clock.now(),
      time: () => clock.time(),
      after: (delayMs, callback) => clock.after(delayMs, callback),
      soon: (callback) => clock.soon(() => (visited.push('turn'), callback())),
    })
    for (const name of ['a', 'b', 'c', 'd', 'e']) busy.add(member(name, () => clock.pass(2)))
    clock.advance(1_000)
    expect(visited).toEqual(['a@1000', 'b@1002', 'c@1004', 'turn', 'd@1006', 'e@1008'])
  })

  it('sets no timer for a member that comes between two slices', () => {
    let timersBetween: number | undefined
    sweep.add(
      member('first', () => {
        clock.pass(5)
        clock.soon(() => {
          sweep.add(member('new'))
          timersBetween = clock.timerCount
        })
      }),
    )
    sweep.add(member('second'))
    clock.advance(100)
    expect(timersBetween).toBe(0)
    expect(visited).toEqual(['first@100', 'second@105'])
    expect(clock.timerCount).toBe(1)
  })

  it('does not visit those that were removed between two slices', () => {
    const later = member('later')
    sweep.add(
      member('first', () => {
        clock.pass(5)
        clock.soon(() => sweep.remove(later))
      }),
    )
    sweep.add(later)
    clock.advance(100)
    expect(visited).toEqual(['first@100'])
  })

  it('goes on with the next member and the next pass when one throws', () => {
    sweep.add(
      member('bad', () => {
        throw new Error('planted')
      }),
    )
    sweep.add(member('good'))
    expect(() => clock.advance(100)).toThrow('planted')
    clock.advance(0)
    expect(visited).toEqual(['bad@100', 'good@100'])
    expect(clock.timerCount).toBe(1)
  })

  it('is done when the last member removes itself and throws', () => {
    const bad = member('bad', () => {
      sweep.remove(bad)
      throw new Error('planted')
    })
    sweep.add(bad)
    expect(() => clock.advance(100)).toThrow('planted')
    clock.advance(0)
    expect(clock.timerCount + clock.soonCount).toBe(0)
  })
})
