import asyncio
import os
import sys

from gql import Client, gql
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

url = os.environ.get("BIDARC_URL", "http://127.0.0.1:8080/graphql").replace("http", "ws", 1)
token = os.environ.get("BIDARC_TOKEN")  # a key's token; open mode needs none

# Either library works; each is an extra of gql.
Transport = {"websockets": WebsocketsTransport, "aiohttp": AIOHTTPWebsocketsTransport}[
    os.environ.get("BIDARC_TRANSPORT", "websockets")
]

PROJECTS = """query Projects($after: String) {
  projects(first: 2, after: $after, orderBy: { field: NAME, direction: ASC }) {
    nodes { id name }
    pageInfo { endCursor hasNextPage }
  }
}"""
RELEASE = """mutation Release($id: ID!) {
  releaseQuarantinedDelivery(input: { id: $id }) { userErrors { code } }
}"""
EVENTS = "subscription Watch($after: String) { events(after: $after) { id cursor kind } }"


def client():
    init_payload = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(transport=Transport(url=url, init_payload=init_payload))


def request(document, **variables):
    request = gql(document)
    request.variable_values = variables
    return request


async def read_pages_and_release():
    async with client() as session:
        names, page = [], {"endCursor": "", "hasNextPage": True}
        while page["hasNextPage"]:
            projects = (await session.execute(request(PROJECTS, after=page["endCursor"])))["projects"]
            names += [project["name"] for project in projects["nodes"]]
            page = projects["pageInfo"]
        print("projects", ",".join(names), flush=True)
        released = (await session.execute(request(RELEASE, id="delivery:1")))["releaseQuarantinedDelivery"]
        print("released", ",".join(error["code"] for error in released["userErrors"]), flush=True)
        return (await session.execute(gql("{ headCursor }")))["headCursor"]


async def watch(last):  # the cursor of the last event that was handled
    while True:
        # A socket ends when the service stops. The next one continues after the last event.
        try:
            async with client() as session:
                async for result in session.subscribe(request(EVENTS, after=last)):
                    print(result["events"]["id"], result["events"]["kind"], flush=True)
                    last = result["events"]["cursor"]
        except TransportQueryError:
            raise  # retrying will not help
        except Exception as problem:
            print("closed:", problem, file=sys.stderr)
        await asyncio.sleep(0.5)


asyncio.run(watch(asyncio.run(read_pages_and_release())))
