// A log in memory, so that a test can compare its lines with the expected ones.
import type { LogLevel } from '#serving/env.ts'
import { createLogger, type Logger } from '#serving/log.ts'

export interface MemoryLog {
  readonly log: Logger
  /** All lines so far, parsed, without time and component. A test may empty the array. */
  readonly lines: Readonly<Record<string, unknown>>[]
}

export function memoryLog(level: LogLevel = 'info'): MemoryLog {
  const lines: MemoryLog['lines'] = []
  const write = (text: string) => {
    const { time: _time, component: _component, ...line } = JSON.parse(text)
    lines.push(line)
  }
  return { log: createLogger(level, { write }), lines }
}
