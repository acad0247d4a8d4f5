"""Where customers write beside the page and the widget: WeChat, WeCom, Feishu and DingTalk, behind one protocol."""
