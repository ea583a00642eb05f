#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// usage: validate.js MODULES GUARD <jobs >findings
//   MODULES  directory whose node_modules has aws-cdk-lib, which brings AWS's own validator and a YAML parser
//   GUARD    file of policies, which the same validator understands
// One JSON object a line each way. In: {"file": …, "region": …, "parameters": {…}} validates a template; {"file": …, "dump": true}
// reads one. Out: {"findings": ["SEVERITY ID message", …]}, or {"template": …} with !Ref X as {"Ref": "X"} and so on.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, guard] = process.argv.slice(2);
const cdk = path.dirname(require.resolve('aws-cdk-lib/package.json', { paths: [modules] }));
const { CompositeEngine, TemplateFile } = require(require.resolve('@aws/cloudformation-validate', { paths: [cdk] }));
const yaml = require(require.resolve('yaml', { paths: [cdk] }));

const engine = new CompositeEngine({ guardRules: [{ name: 'policies', content: fs.readFileSync(guard, 'utf8') }] });

function validate(job) {
    const report = engine.validateTemplate(new TemplateFile(job.file), {
        severityLevel: 'WARN',
        detailLevel: 'STANDARD',
        parameterOverrides: job.parameters || {},
        pseudoParameterOverrides: job.region ? { region: job.region } : {},
    });
    return { findings: report.diagnostics.map((d) => `${d.severity} ${d.ruleId} ${d.message}`) };
}

// CloudFormation's short forms; !GetAtt a.b is ["a", "b"] as in the long form, cut at the first dot.
const NAMES = ['Base64', 'Cidr', 'Equals', 'GetAtt', 'GetAZs', 'If', 'Join', 'Not', 'Or', 'And', 'Select', 'Split', 'Sub'];
const tag = (short, long, value = (v) => v) => ({
    tag: `!${short}`,
    resolve: (doc, node) => {
        const plain = node.toJSON ? node.toJSON() : node.strValue !== undefined ? node.strValue : node.value;
        return yaml.createNode({ [long]: value(plain) }, true);
    },
});

function dump(job) {
    const customTags = [tag('Ref', 'Ref'), ...NAMES.map((n) => tag(n, `Fn::${n}`))];
    return { template: yaml.parse(fs.readFileSync(job.file, 'utf8'), { customTags }) };
}

for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
    const job = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(job.dump ? dump(job) : validate(job))}\n`);
}
engine.free();
