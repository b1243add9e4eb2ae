/** What `readXml` takes at most; each can be set lower or higher by its caller. */
export interface XmlLimits {
  /** Bytes of the whole input. */
  readonly documentBytesMax: number;
  /** Elements within each other; the root is at depth 1. */
  readonly depthMax: number;
  readonly elementsMax: number;
  /** Attributes of one element, namespace declarations included. */
  readonly attributesMax: number;
  /** UTF-16 units of an element's or attribute's name with its prefix. */
  readonly nameLengthMax: number;
  /** UTF-16 units of one attribute's value. */
  readonly attributeLengthMax: number;
}

export const XML_LIMITS_DEFAULT: XmlLimits = {
  documentBytesMax: 1_048_576,
  depthMax: 64,
  elementsMax: 65_536,
  attributesMax: 64,
  nameLengthMax: 256,
  attributeLengthMax: 65_536,
};
