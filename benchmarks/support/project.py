"""What `benchmarks/validate_many.py` checks: specs of agentc, and CloudFormation templates of like size."""

from __future__ import annotations

import hashlib
from string import Template

#: Services of the project; each has a toolset, an OpenAPI document and three permission sets.
SERVICES = 20
#: Spec files of the whole project: one Project, the toolsets, the permission sets, and agents for the rest.
SPECS = 200

_PROJECT = """\
apiVersion: agentc/v1
kind: Project
metadata:
  name: estate
  version: 1.0.0
  owner: platform
  description: The agents of a company with many services.
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2, cached_input: 0.025 }
      max_sensitivity: confidential
  environments:
    local:
      variables: { BASE_URL: "http://127.0.0.1:8931" }
      secrets:
        service_token: { env: SERVICE_TOKEN }
        openai_api_key: { env: OPENAI_API_KEY }
      private_hosts: ["127.0.0.1:8931"]
    production:
      variables: { BASE_URL: https://api.example.com }
      secrets:
        service_token: { file: /run/secrets/service_token }
        openai_api_key: { file: /run/secrets/openai_api_key }
  default_environment: local
  approvers:
    leads: [ana@example.com, bo@example.com]
"""

_OPENAPI = """\
openapi: 3.1.0
info: { title: "Service $s", version: 1.0.0 }
servers:
  - url: https://api.example.com
security:
  - bearerAuth: []
paths:
  /$s/items:
    get:
      operationId: searchItems
      summary: Search the items of a customer
      parameters:
        - { name: customer_id, in: query, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }
      responses:
        "200":
          description: The items.
          content:
            application/json:
              schema: { type: array, items: { $$ref: "#/components/schemas/Item" } }
  /$s/items/{item_id}:
    parameters:
      - { name: item_id, in: path, required: true, schema: { type: string } }
    get:
      operationId: getItem
      summary: Read an item
      responses:
        "200":
          description: The item.
          content:
            application/json:
              schema: { $$ref: "#/components/schemas/Item" }
  /$s/credits:
    post:
      operationId: createCredit
      summary: Give a customer a credit
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                item_id: { type: string }
                amount: { type: number, exclusiveMinimum: 0 }
                currency: { type: string, enum: [EUR, USD, GBP] }
                note: { type: string, maxLength: 200 }
              required: [item_id, amount, currency]
      responses:
        "201":
          description: The credit.
          content:
            application/json:
              schema: { type: object, properties: { id: { type: string } }, required: [id] }
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
  schemas:
    Item:
      type: object
      properties:
        id: { type: string }
        subject: { type: string }
        parts: { type: array, items: { $$ref: "#/components/schemas/Item" } }
      required: [id, subject]
"""

_TOOLSET = """\
# yaml-language-server: $$schema=../schemas/Toolset.json
apiVersion: agentc/v1
kind: Toolset
metadata:
  name: $s
  version: 1.$n.0
  owner: team-$s
  description: The API of service $s.
spec:
  openapi:
    file: openapi/$s.yaml
    sha256: $sha256
  server: $${env.BASE_URL}
  auth: { scheme: bearerAuth, secret: service_token }
  tools:
    search_items:
      operation: searchItems
      effect: read
      output:
        trust: untrusted
        sensitivity: confidential
        max_bytes: 65536
      timeout: 10s
      rate: { per_minute: 120 }
      retry:
        max_attempts: 3
        backoff: 200ms
    get_item:
      operation: getItem
      effect: read
      output:
        trust: untrusted
        sensitivity: confidential
        max_bytes: 65536
      timeout: 10s
      retry: { max_attempts: 3, backoff: 200ms }
    credit:
      operation: createCredit
      effect: send
      rate: { per_minute: 30 }
      output: { trust: trusted, sensitivity: internal }
"""

_PERMISSIONS = """\
# yaml-language-server: $$schema=../schemas/PermissionSet.json
apiVersion: agentc/v1
kind: PermissionSet
metadata:
  name: $p
  version: 1.$n.0
  owner: team-$s
  description: What agents of the kind $p may do for one customer.
spec:
  grants:
    # The customer comes from the session: the model neither sees nor sets it.
    - tool: $s.search_items
      where:
        limit: { maximum: 20 }
      bind:
        customer_id: "$${session.customer_id}"
      quota:
        per_run: 5
        per_day: 1000

    - tool: $s.get_item
      where:
        item_id: { pattern: "I-[0-9]{1,12}" }
      quota:
        per_run: 5

    - tool: $s.credit
      bind:
        item_id: "$${input.item_id}"
      where:
        amount: { maximum: $most }
        currency: { enum: [EUR] }
      approval:
        when: { amount: { exclusiveMinimum: 20 } }
        by: [leads]
        expires: 24h
      quota:
        per_run: 1
        per_day: 100
  flows:
    untrusted_to_effect: approve
"""

_AGENT = """\
# yaml-language-server: $$schema=../schemas/Agent.json
apiVersion: agentc/v1
kind: Agent
metadata:
  name: $a
  version: 1.$n.0
  owner: team-$s
  description: Looks at an item of service $s and gives small credits.
spec:
  model: fast
  instructions: Help the customer with the item, and give no more than is due.
  input:
    schema:
      type: object
      properties: { item_id: { type: string, pattern: "I-[0-9]+" } }
      required: [item_id]
  session:
    schema:
      type: object
      properties: { customer_id: { type: string, pattern: "C-[0-9]+" } }
      required: [customer_id]
  output:
    schema:
      type: object
      properties: { outcome: { enum: [credited, answered, failed] } }
      required: [outcome]
  permissions: [$p]
  limits: { steps: 12, tokens: 60000, cost_usd: 0.5, time: 5m }
  workflow:
    start: resolve
    states:
      resolve:
        type: agent
        prompt: Resolve item {{ input.item_id }}.
        tools: [$s.search_items, $s.get_item, $s.credit]
        turns: 8
        output:
          schema:
            type: object
            properties: { outcome: { enum: [credited, answered] } }
            required: [outcome]
        catch:
          - { errors: [any], next: failed }
        next: done
      done:
        type: end
        output: { outcome: "$${states.resolve.output.outcome}" }
      failed:
        type: end
        output: { outcome: failed }
"""

_CLOUDFORMATION = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Storage and a function of service $s, number $n.
Parameters:
  Stage:
    Type: String
    Default: test
    AllowedValues: [test, production]
  Memory:
    Type: Number
    Default: 256
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "$s-$n-$${Stage}"
      VersioningConfiguration: { Status: Enabled }
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: { SSEAlgorithm: AES256 }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: { Service: [lambda.amazonaws.com] }
            Action: ["sts:AssumeRole"]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub "$s-$n-$${Stage}"
      Runtime: python3.12
      Handler: app.handler
      MemorySize: !Ref Memory
      Timeout: 30
      Role: !GetAtt Role.Arn
      Code: { S3Bucket: !Ref Bucket, S3Key: function.zip }
      Environment:
        Variables: { STAGE: !Ref Stage }
Outputs:
  FunctionArn:
    Value: !GetAtt Function.Arn
"""


def project(specs: int = SPECS) -> dict[str, str]:
    """Path → text of a project of about `specs` spec files, without a finding, and its API documents."""
    services = max(1, SERVICES * specs // SPECS)
    files = {"agentc.yaml": _PROJECT}
    for n in range(services):
        api = _text(_OPENAPI, n)
        files[f"openapi/s{n:02}.yaml"] = api
        digest = hashlib.sha256(api.encode()).hexdigest()
        files[f"toolsets/s{n:02}.yaml"] = _text(_TOOLSET, n, sha256=digest)
    sets = [(n, f"s{n:02}-{role}") for role in ("reader", "clerk", "lead") for n in range(services)]
    for n, name in sets:
        files[f"permissions/{name}.yaml"] = _text(_PERMISSIONS, n, p=name, most=str(50 + n))
    for number in range(max(len(sets), specs - 1 - services - len(sets))):
        n, name = sets[number % len(sets)]
        files[f"agents/agent-{number:03}.yaml"] = _text(_AGENT, n, p=name, a=f"agent-{number:03}")
    return files


def agents(count: int) -> dict[str, str]:
    """Path → text of agents alone, for a checker that knows their schema only."""
    return {
        f"agent-{number:03}.yaml": _text(_AGENT, number % SERVICES, p="clerk", a=f"agent-{number:03}")
        for number in range(count)
    }


def templates(count: int) -> dict[str, str]:
    """Path → text of CloudFormation templates."""
    return {f"stack-{number:03}.yaml": _text(_CLOUDFORMATION, number) for number in range(count)}


def _text(template: str, number: int, **more: str) -> str:
    return Template(template).substitute(s=f"s{number:02}", n=str(number), **more)
