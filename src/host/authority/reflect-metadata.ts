/**
 * @peculiar/x509 finds its algorithms through tsyringe, which refuses to load unless these three
 * methods of the Reflect metadata proposal exist. It keeps constructor parameters with them; it
 * needs no inheritance of metadata, so a table by class and key is all of it. Where something else
 * has defined them already, that stays.
 */
interface ReflectMetadata {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const metadataByTarget = new WeakMap<object, Map<unknown, unknown>>();

function getMetadata(key: unknown, target: object): unknown {
  return metadataByTarget.get(target)?.get(key);
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const metadata = metadataByTarget.get(target) ?? new Map<unknown, unknown>();
  metadata.set(key, value);
  metadataByTarget.set(target, metadata);
}

const reflect: typeof Reflect & ReflectMetadata = Reflect;
reflect.getMetadata ??= getMetadata;
reflect.getOwnMetadata ??= getMetadata;
reflect.defineMetadata ??= defineMetadata;
