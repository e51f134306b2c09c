// Reads environment variables and collects every problem with them, so that a program can print all problems at once.
// Knows no variable by name.

import { accessSync, constants } from 'node:fs'
import { quote } from './text.ts'

/** The environment of a process: names and values. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A variable that a program reads: a row of its `--help` and of docs/reference/ENVIRONMENT.md. */
export interface Variable {
  readonly name: string
  /** The default, in words. */
  readonly fallback: string
  readonly meaning: string
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** A value may be a private key in the wrong variable: a problem shows at most this many characters of it. */
const SHOWN_LENGTH = 100

/**
 * Typed views of variables. A variable that is absent or empty has its default. One that is wrong has its default too, so
 * that reading goes on, and adds to {@link Environment.problems}.
 */
export class Environment {
  readonly #variables: Variables
  readonly #problems: string[] = []

  constructor(variables: Variables) {
    this.#variables = variables
  }

  /** One sentence for each problem: the variable, its value and what was expected. */
  get problems(): readonly string[] {
    return this.#problems
  }

  /** Adds a problem that the caller found itself. */
  problem(name: string, expected: string): void {
    const value = this.optional(name)
    const got =
      value === undefined
        ? 'it is not set'
        : `got ${quote(firstLine(value), { characters: SHOWN_LENGTH })}`
    this.#problems.push(`${name}: expected ${expected}, ${got}`)
  }

  optional(name: string): string | undefined {
    const value = this.#variables[name]
    return value === undefined || value === '' ? undefined : value
  }

  string(name: string, fallback: string): string {
    return this.optional(name) ?? fallback
  }

  /** An integer of decimal digits within bounds. */
  integer(
    name: string,
    fallback: number,
    bounds: { readonly min: number; readonly max: number },
  ): number {
    const text = this.optional(name)
    if (text === undefined) return fallback
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= bounds.min && value <= bounds.max) return value
    this.problem(name, `an integer from ${bounds.min} to ${bounds.max}`)
    return fallback
  }

  /** A TCP port; 0 is any free one. */
  port(name: string, fallback: number): number {
    return this.integer(name, fallback, { min: 0, max: 65_535 })
  }

  level(name: string, fallback: LogLevel): LogLevel {
    const value = this.string(name, fallback)
    const level = LOG_LEVELS.find((known) => known === value)
    if (level === undefined) this.problem(name, `one of ${LOG_LEVELS.join(', ')}`)
    return level ?? fallback
  }

  /** `true` or `false`. */
  boolean(name: string, fallback: boolean): boolean {
    const text = this.optional(name)
    if (text === 'true' || text === 'false') return text === 'true'
    if (text !== undefined) this.problem(name, '"true" or "false"')
    return fallback
  }

  /** Comma-separated items without the blanks around them; empty if the variable is not set. */
  list(name: string): readonly string[] {
    const items = this.string(name, '').split(',')
    return items.map((item) => item.trim()).filter((item) => item !== '')
  }

  /** The path of a file that can be read now. */
  file(name: string): string | undefined {
    const path = this.optional(name)
    if (path === undefined) return undefined
    try {
      accessSync(path, constants.R_OK)
    } catch {
      this.problem(name, 'a file that can be read')
    }
    return path
  }

  /** A name of a namespace or a Service (RFC 1123 label). */
  label(name: string, fallback: string): string {
    const value = this.string(name, fallback)
    if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)) return value
    this.problem(name, 'a name of at most 63 lower-case letters, digits and "-"')
    return fallback
  }
}

function firstLine(value: string): string {
  const [line = ''] = value.split('\n')
  return line === value ? line : `${line}…`
}
