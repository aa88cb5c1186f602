//! Open mode behind a real nginx, with the configurations that its documentation shows.

use std::path::Path;
use std::process::Stdio;

use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{Service, TIMEOUT, add_key, eventually, reserved_port};

/// The places where packages install nginx.
const PROGRAMS: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"];

/// nginx in front of a service. Dropping this value kills it.
struct Nginx {
    base: String,
    _process: Child,
    _directory: TempDir,
}

impl Nginx {
    /// Starts nginx with one location for each configuration. `None` if it is not installed.
    async fn start(service: &Service) -> Option<Self> {
        let program = PROGRAMS.into_iter().find(|program| Path::new(program).exists())?;
        let directory = tempfile::tempdir().unwrap();
        let port = reserved_port().await;
        let service = service.base();
        // https://nginx.org/en/docs/http/websocket.html has the two of WebSockets.
        let configuration = format!(
            r#"daemon off; master_process off; pid nginx.pid; error_log stderr;
            events {{}}
            http {{
                access_log off;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
                server {{
                    listen 127.0.0.1:{port};
                    location /default/ {{ proxy_pass {service}/; }}
                    location /socket/ {{
                        proxy_pass {service}/;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }}
                    location /socket-map/ {{
                        proxy_pass {service}/;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }}
                    location /forwarded/ {{
                        proxy_pass {service}/;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }}
                    location /host/ {{
                        proxy_pass {service}/;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host office.example;
                    }}
                    location /stream/ {{
                        proxy_pass {service}/;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_buffering off;
                    }}
                }}
            }}"#
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(directory.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let process = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        eventually("nginx answers", TIMEOUT, async || get(&base, "/", None).await.ok().map(drop)).await;
        Some(Self { base, _process: process, _directory: directory })
    }

    /// The status of a query through a location.
    async fn query(&self, location: &str, header: Option<(&str, &str)>) -> StatusCode {
        get(&self.base, &format!("/{location}/graphql?query=%7B__typename%7D"), header).await.unwrap()
    }

    /// The status of a request for a socket through a location.
    async fn socket(&self, location: &str) -> StatusCode {
        let url = format!("{}/{location}/graphql/ws", self.base.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        match connect_async(request).await {
            Ok((_, answer)) => StatusCode::from_u16(answer.status().as_u16()).unwrap(),
            Err(Error::Http(answer)) => StatusCode::from_u16(answer.status().as_u16()).unwrap(),
            Err(error) => panic!("{location}: {error}"),
        }
    }
}

async fn get(base: &str, path: &str, header: Option<(&str, &str)>) -> reqwest::Result<StatusCode> {
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().unwrap();
    let request = client.get(format!("{base}{path}"));
    let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send().await.map(|answer| answer.status())
}

#[tokio::test]
async fn open_mode_behind_nginx_refuses_what_it_can_tell() {
    let service = Service::open().await;
    let Some(nginx) = Nginx::start(&service).await else {
        println!("SKIPPED: nginx is not installed, so open mode was not tested behind it (Debian: nginx-light)");
        service.stop().await;
        return;
    };
    for location in ["default", "socket", "socket-map", "forwarded", "host"] {
        assert_eq!(nginx.query(location, None).await, 403, "{location}");
    }
    for location in ["socket", "socket-map"] {
        assert_eq!(nginx.socket(location).await, 403, "{location}");
    }
    // The configuration for event streams leaves no trace, as README says. A browser's word on the
    // page comes through, and a key ends open mode.
    assert_eq!(nginx.query("stream", None).await, 200, "README names this configuration as one that cannot be told");
    assert_eq!(nginx.query("stream", Some(("sec-fetch-site", "cross-site"))).await, 403);
    assert_eq!(nginx.query("stream", Some(("origin", &nginx.base))).await, 403);
    add_key(service.database(), "office", "read").await;
    eventually("the key ends open mode", TIMEOUT, async || (nginx.query("stream", None).await == 401).then_some(()))
        .await;
    service.stop().await;
}
