import { z } from 'zod'

/** How the text of a flag or a variable becomes a value: the schema then judges it as it does one of the file. */
export type Form = 'number' | 'number or false' | 'switch' | 'text' | 'file only'

export type Group = 'Listening' | 'Logging' | 'Events' | 'Streams' | 'Slow clients' | 'Memory and load'

/** One option of the hub: what it may be, and why it is what it is when nobody says otherwise. */
export interface Option<T = unknown> {
  readonly schema: z.ZodType<T>
  readonly form: Form
  readonly group: Group
  /** What stands for the value in the help: `MS`, `NAME`; empty for a switch. */
  readonly placeholder: string
  /** What it does, for the help: the end of a line. */
  readonly summary: string
  readonly default: T
  /** Why this default. A sentence for `docs/defaults.md`. */
  readonly reason: string
  /** What is commonly advised or done instead, where that differs, and why it is not followed. */
  readonly advice?: string
}

/** What an option has besides its schema and its form. */
export type OptionText<T> = Omit<Option<T>, 'schema' | 'form' | 'placeholder'> & { readonly placeholder?: string }

type Range = readonly [min: number, max: number]

/** A whole number; the placeholder is its unit. */
export function numberOption(unit: string, range: Range, text: OptionText<number>): Option<number> {
  const what = `a whole number${unitWords(unit)} from ${range[0]} to ${range[1]}`
  return option('number', unit, wholeNumber(range, what), text)
}

/** A whole number, or `false` for off. */
export function numberOrFalseOption(
  unit: string,
  range: Range,
  text: OptionText<number | false>,
): Option<number | false> {
  const what = `a whole number${unitWords(unit)} from ${range[0]} to ${range[1]}, or false`
  const schema = z.union([wholeNumber(range, what), z.literal(false)], mend(what))
  return option('number or false', `${unit}|false`, schema, text)
}

export function switchOption(text: OptionText<boolean>): Option<boolean> {
  return option('switch', '', z.boolean(mend('true or false')), text)
}

export function choiceOption<T extends string>(choices: readonly [T, ...T[]], text: OptionText<T>): Option<T> {
  const schema = z.enum(choices, mend(choices.map((choice) => JSON.stringify(choice)).join(' or ')))
  return option('text', choices.join('|'), schema as unknown as z.ZodType<T>, text)
}

export function option<T>(form: Form, placeholder: string, schema: z.ZodType<T>, text: OptionText<T>): Option<T> {
  return { form, placeholder, ...text, schema: schema.meta({ description: text.summary, default: text.default }) }
}

/** A default as a person writes it. */
export function defaultText({ default: value }: Option): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What a value must be instead; every fault of a schema says this and nothing else. */
export function mend(what: string): { error: () => string } {
  return { error: () => `it must be ${what}` }
}

function wholeNumber([min, max]: Range, what: string): z.ZodType<number> {
  return z.int(mend(what)).min(min, mend(what)).max(max, mend(what))
}

const UNIT_WORDS: Readonly<Record<string, string>> = { MS: ' of milliseconds', BYTES: ' of bytes', N: '' }

function unitWords(unit: string): string {
  return UNIT_WORDS[unit] ?? ''
}
