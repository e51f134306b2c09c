// Job ids as `flux jobs` prints them: F58 (RFC 19), "ƒ" and the number in base 58.
import type { JobId } from './job-list-calls.ts'

const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE = BigInt(DIGITS.length)

export function formatJobId(id: JobId): string {
  let rest = BigInt(id)
  let text = ''
  do {
    text = `${DIGITS[Number(rest % BASE)]}${text}`
    rest /= BASE
  } while (rest > 0n)
  return `ƒ${text}`
}
