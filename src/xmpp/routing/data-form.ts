import { DATA_FORM_NAMESPACE } from '../stanza/namespaces.ts';
import {
  childElement,
  childElements,
  element,
  textOf,
  type XmppElement,
} from '../stanza/xmpp-element.ts';

/** The fields of a submitted form (XEP-0004): values by `var`. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

/** The submitted form inside `parent`, if its FORM_TYPE is this (XEP-0068). */
export function submittedForm(parent: XmppElement, formType: string): FormFields | undefined {
  const form = childElement(parent, 'x', DATA_FORM_NAMESPACE);
  if (form === undefined || form.attributes.get('type') !== 'submit') return undefined;
  const fields = new Map<string, readonly string[]>();
  for (const field of childElements(form)) {
    const name = field.attributes.get('var');
    if (field.name !== 'field' || name === undefined) continue;
    const values = childElements(field).filter((child) => child.name === 'value');
    fields.set(name, values.map(textOf));
  }
  return fields.get('FORM_TYPE')?.[0] === formType ? fields : undefined;
}

/** A form to fill in: fields with their types, after the hidden FORM_TYPE. */
export function formToFill(
  formType: string,
  fields: Readonly<Record<string, string>>,
): XmppElement {
  const hidden = field('FORM_TYPE', 'hidden', formType);
  const asked = Object.entries(fields).map(([name, type]) => field(name, type));
  return element('x', DATA_FORM_NAMESPACE, { type: 'form' }, [hidden, ...asked]);
}

function field(name: string, type: string, value?: string): XmppElement {
  const values = value === undefined ? [] : [element('value', DATA_FORM_NAMESPACE, {}, [value])];
  return element('field', DATA_FORM_NAMESPACE, { var: name, type }, values);
}
