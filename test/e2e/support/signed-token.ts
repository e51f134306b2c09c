// Tokens of service accounts signed with the cluster's own key, to have what the API server issues to nobody: one that has expired.
import { createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'

const Claims = v.looseObject({ exp: v.number(), iat: v.number(), nbf: v.number() })

/**
 * The token as it would have been issued at another time, signed again.
 *
 * @param keyFile of the cluster (PEM, RSA)
 * @param shiftS how much later it begins and ends, in seconds
 */
export async function shiftToken(token: string, keyFile: string, shiftS: number): Promise<string> {
  const [header = '', payload = ''] = token.split('.')
  const claims = v.parse(Claims, JSON.parse(Buffer.from(payload, 'base64url').toString()))
  const times = {
    exp: claims.exp + shiftS,
    iat: claims.iat + shiftS,
    nbf: claims.nbf + shiftS,
  }
  const shifted = Buffer.from(JSON.stringify({ ...claims, ...times })).toString('base64url')
  const signed = `${header}.${shifted}`
  const signature = createSign('RSA-SHA256')
    .update(signed)
    .sign(await readFile(keyFile, 'utf8'))
  return `${signed}.${signature.toString('base64url')}`
}
