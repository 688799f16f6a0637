import { useId } from 'preact/hooks';
import type { FormField } from '../../../logic/form-schema.js';
import { baseOfVariant, chosenVariant, isGroupOn, shownValue } from '../../../logic/form-values.js';
import { t } from '../../state/language.js';
import type { NewExperiment } from '../../state/new-experiment.js';

interface FieldProps {
  readonly form: NewExperiment;
  readonly field: FormField;
  /** Values where nothing was typed. */
  readonly base: object;
}

/** A field of whatever kind, with its description and what the server finds wrong with it. */
export function FieldInput({ form, field, base }: FieldProps) {
  const draft = form.draft.value;
  if (field.kind === 'group') {
    const isOn = !field.isNullable || isGroupOn(field, draft, base);
    return (
      <fieldset class="field-group">
        <legend>
          {field.isNullable ? (
            <Check text={field.name} isOn={isOn} onChange={(value) => form.type(field.path, value)} />
          ) : (
            field.name
          )}
        </legend>
        {field.description !== '' && <p class="field-hint">{field.description}</p>}
        {isOn && <Fields form={form} fields={field.fields} base={base} />}
      </fieldset>
    );
  }
  if (field.kind === 'variants') {
    const variant = chosenVariant(field, draft, base);
    return (
      <>
        <Labelled form={form} field={{ ...field, path: `${field.path}.type`, name: 'type', description: '' }}>
          {(id, described) => (
            <select
              id={id}
              {...described}
              value={variant.type}
              onChange={({ currentTarget }) => form.type(`${field.path}.type`, currentTarget.value)}
            >
              {field.variants.map(({ type }) => (
                <option key={type}>{type}</option>
              ))}
            </select>
          )}
        </Labelled>
        <Fields form={form} fields={variant.fields} base={baseOfVariant(field, variant.type, base)} />
      </>
    );
  }
  return <SimpleField form={form} field={field} base={base} />;
}

export function Fields({
  form,
  fields,
  base,
}: {
  readonly form: NewExperiment;
  readonly fields: readonly FormField[];
  readonly base: object;
}) {
  return (
    <div class="fields">
      {fields.map((field) => (
        <FieldInput key={field.path} form={form} field={field} base={base} />
      ))}
    </div>
  );
}

function SimpleField({ form, field, base }: FieldProps) {
  const value = shownValue(field, form.draft.value, base);
  const suggested = form.suggestions.value[field.path];
  const type = (next: string | boolean) => form.type(field.path, next);
  if (typeof value === 'boolean')
    return (
      <div class="field">
        <Check text={field.name} isOn={value} onChange={type} />
        <p class="field-hint">{field.description}</p>
      </div>
    );
  return (
    <Labelled form={form} field={field}>
      {(id, described) =>
        field.kind === 'enum' ? (
          <select
            id={id}
            {...described}
            value={value}
            onChange={({ currentTarget }) => type(currentTarget.value)}
          >
            {field.isNullable && <option value="">–</option>}
            {field.options.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        ) : (
          <>
            <input
              type="text"
              id={id}
              {...described}
              value={value}
              inputMode={field.kind === 'number' ? 'decimal' : 'text'}
              placeholder={field.isNullable ? t('form.none') : ''}
              spellcheck={false}
              autocomplete="off"
              list={suggested ? `${id}-list` : undefined}
              onInput={({ currentTarget }) => type(currentTarget.value)}
            />
            {suggested && (
              <datalist id={`${id}-list`}>
                {suggested.map((name) => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            )}
          </>
        )
      }
    </Labelled>
  );
}

interface LabelledProps {
  readonly form: NewExperiment;
  readonly field: FormField;
  readonly children: (
    id: string,
    described: Readonly<Record<string, string | boolean>>,
  ) => preact.ComponentChild;
}

function Labelled({ form, field, children }: LabelledProps) {
  const id = useId();
  const error = form.issues.value.byPath.get(field.path);
  const isTyped = form.draft.value[field.path] !== undefined;
  const described = {
    'aria-describedby': `${id}-hint`,
    ...(error !== undefined && { 'aria-invalid': true }),
  };
  return (
    <div class={`field${isTyped ? ' is-typed' : ''}`}>
      <span class="field-head">
        <label class="field-label" htmlFor={id}>
          {field.name}
        </label>
        {isTyped && (
          <button type="button" class="link-button" onClick={() => form.clear(field.path)}>
            {t('form.reset')}
            <span class="visually-hidden"> {field.name}</span>
          </button>
        )}
      </span>
      {children(id, described)}
      <span id={`${id}-hint`}>
        {error !== undefined && <span class="field-error">{error}</span>}
        <span class="field-hint">
          {field.description}
          {rangeOf(field)}
        </span>
      </span>
    </div>
  );
}

function rangeOf(field: FormField): string {
  if (field.kind !== 'number' || field.min === undefined || field.max === undefined) return '';
  return ` (${field.min} … ${field.max.toLocaleString('en-US')})`;
}

interface CheckProps {
  readonly text: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Check({ text, isOn, onChange }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <span class="field-label">{text}</span>
    </label>
  );
}
