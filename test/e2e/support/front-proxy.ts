// The front proxy's CA of the cluster under test, replaced as Kubernetes' documentation says: first API servers and extension servers
// trust both, then API servers use the new certificate, then nobody trusts the old CA.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, createKeys, type KeyPair } from '../../support/certificates.ts'
import { ask } from '../../support/https.ts'
import { run, WEBHOOK_NAMESPACE } from './installation.ts'
import { portForward } from './kubectl.ts'
import { holds } from './wait.ts'

/** Like the others of the cluster: later runs use it. */
const LIFE_MS = 3650 * 24 * 3_600_000

/** API servers read a file again when it is written. */
const REREAD_MS = 5_000

const ANNOUNCEMENT = ['configmap', 'extension-apiserver-authentication', '--namespace=kube-system']

export class FrontProxyRotation {
  readonly #folder: string
  readonly #ca: string
  readonly #caKey: string
  readonly #client: KeyPair

  private constructor(
    folder: string,
    {
      ca,
      caKey,
      client,
    }: { readonly ca: string; readonly caKey: string; readonly client: KeyPair },
  ) {
    this.#folder = folder
    this.#ca = ca
    this.#caKey = caKey
    this.#client = client
  }

  /**
   * Makes API servers trust a new CA beside the present one, and announce both.
   *
   * @param folder with `front-proxy-ca.crt` and `front-proxy-client.crt`, and their keys, which the API server reads
   */
  static async begin(folder: string): Promise<FrontProxyRotation> {
    const notAfter = new Date(Date.now() + LIFE_MS)
    const keys = await createKeys()
    const authority = await createAuthority('front-proxy-ca', { keys, notAfter })
    const client = await authority.issue({
      commonName: 'front-proxy-client',
      extendedKeyUsage: ['clientAuth'],
      notAfter,
    })
    const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
    const caKey = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(key).toString('base64')}\n-----END PRIVATE KEY-----\n`
    const rotation = new FrontProxyRotation(folder, { ca: authority.cert, caKey, client })
    const file = join(folder, 'front-proxy-ca.crt')
    await writeFile(file, `${await readFile(file, 'utf8')}\n${authority.cert}\n`)
    await rotation.#announced((text) => text.includes(authority.cert.trim()))
    return rotation
  }

  /** Waits until a pod of the gateway answers a client of the new CA. */
  async knownBy(pod: string): Promise<void> {
    // The webhook reads the announcement every five minutes, and a gateway asks the webhook every five minutes.
    await holds(`${pod} to know the new CA`, () => this.#answers(pod), 660_000)
  }

  /** From now on API servers use a certificate of the new CA, which alone is announced. */
  async complete(): Promise<void> {
    await this.#write('front-proxy-client.key', this.#client.key)
    await this.#write('front-proxy-client.crt', this.#client.cert)
    await new Promise((resolve) => setTimeout(resolve, REREAD_MS))
    await this.#write('front-proxy-ca.key', this.#caKey)
    await this.#write('front-proxy-ca.crt', `${this.#ca}\n`)
    // An API server only ever adds to what is announced, because there may be others: the administrator takes the old CA away.
    await new Promise((resolve) => setTimeout(resolve, REREAD_MS))
    const data = { 'requestheader-client-ca-file': `${this.#ca}\n` }
    await run(['patch', ...ANNOUNCEMENT, '--type=merge', `--patch=${JSON.stringify({ data })}`])
    await this.#announced((text) => text.trim() === this.#ca.trim())
  }

  async #answers(pod: string): Promise<boolean> {
    await using forwarded = await portForward(WEBHOOK_NAMESPACE, pod, 8443)
    const headers = { 'X-Remote-User': 'e2e' }
    const { status } = await ask(forwarded.port, '/apis', { client: this.#client, headers })
    return status === 200
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(join(this.#folder, name), text)
  }

  async #announced(isRight: (text: string) => boolean): Promise<void> {
    await holds('the announcement of the CA', async () => {
      const path = '-o=jsonpath={.data.requestheader-client-ca-file}'
      return isRight(await run(['get', ...ANNOUNCEMENT, path]))
    })
  }
}
